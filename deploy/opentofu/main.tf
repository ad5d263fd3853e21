# What a cluster needs before its first shop: the namespace, Dapr, and unless they are elsewhere, MySQL and Redis. Argo CD or
# kubectl brings the shop itself. Why this provider: docs/adr/0031.

terraform {
  required_version = ">= 1.8"
  required_providers {
    kustomization = {
      source  = "kbst/kustomization"
      version = "~> 0.9.8"
    }
  }
}

provider "kustomization" {
  kubeconfig_path = pathexpand(var.kubeconfig)
  context         = var.context
}

locals {
  kubernetes = "${path.module}/../kubernetes"
  stores     = toset(var.stores == null ? [] : ["stores"])
  passwords  = var.stores == null ? {} : jsondecode(file(var.stores))
}

data "kustomization_overlay" "namespace" {
  resources = ["${local.kubernetes}/base/namespace.yaml"]
  kustomize_options { load_restrictor = "none" }
}

data "kustomization_overlay" "dapr" {
  resources = ["${path.module}/dapr/namespace.yaml"]
  helm_charts {
    name         = "dapr"
    repo         = "https://dapr.github.io/helm-charts"
    version      = var.dapr_version
    release_name = "dapr"
    namespace    = "dapr-system"
    include_crds = true
    values_file  = "${local.kubernetes}/dapr.yaml"
  }
  kustomize_options {
    load_restrictor = "none"
    enable_helm     = true
    helm_path       = "helm"
  }
}

data "kustomization_overlay" "stores" {
  for_each  = local.stores
  namespace = "caravan-stores"
  resources = [
    "${path.module}/stores/namespace.yaml",
    "${path.module}/stores/network.yaml",
    "${local.kubernetes}/components/stores/mysql.yaml",
    "${local.kubernetes}/components/stores/redis.yaml",
  ]
  dynamic "secret_generator" {
    for_each = toset(["mysql-root", "redis-password"])
    content {
      name     = secret_generator.key
      literals = ["${secret_generator.key}=${local.passwords[secret_generator.key]}"]
      options { disable_name_suffix_hash = true }
    }
  }
  dynamic "patches" {
    for_each = { mysql = var.mysql_storage, redis = var.redis_storage }
    content {
      target {
        kind = "StatefulSet"
        name = patches.key
      }
      patch = jsonencode([{
        op    = "replace"
        path  = "/spec/volumeClaimTemplates/0/spec/resources/requests/storage"
        value = patches.value
      }])
    }
  }
  kustomize_options { load_restrictor = "none" }
}

module "namespace" {
  source    = "./manifests"
  manifests = data.kustomization_overlay.namespace
}

module "dapr" {
  source    = "./manifests"
  manifests = data.kustomization_overlay.dapr
}

module "stores" {
  for_each  = local.stores
  source    = "./manifests"
  manifests = data.kustomization_overlay.stores[each.key]
}
