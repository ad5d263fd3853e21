# Applies what Kustomize built, in the order that the provider gives: namespaces and CRDs, all else, webhooks.

terraform {
  required_providers {
    kustomization = { source = "kbst/kustomization" }
  }
}

variable "manifests" {
  description = "A kustomization_build or kustomization_overlay."
  type = object({
    ids_prio  = list(set(string))
    manifests = map(string)
  })
}

locals {
  # No plan shows a Secret.
  manifest = { for id, text in var.manifests.manifests : id => startswith(id, "_/Secret/") ? sensitive(text) : text }
}

resource "kustomization_resource" "first" {
  for_each = var.manifests.ids_prio[0]
  manifest = local.manifest[each.value]
}

resource "kustomization_resource" "second" {
  for_each   = var.manifests.ids_prio[1]
  manifest   = local.manifest[each.value]
  wait       = true
  depends_on = [kustomization_resource.first]
}

resource "kustomization_resource" "last" {
  for_each   = var.manifests.ids_prio[2]
  manifest   = local.manifest[each.value]
  depends_on = [kustomization_resource.second]
}
