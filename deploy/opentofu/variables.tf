variable "kubeconfig" {
  type        = string
  default     = "~/.kube/config"
  description = "The file that says how to reach the cluster."
}

variable "context" {
  type        = string
  description = "The cluster's context in that file. It has no default, so that nothing reaches a cluster by chance."
}

variable "dapr_version" {
  type        = string
  default     = "1.18.2"
  description = "Of Dapr's Helm chart; the services are tested with this one."
}

variable "stores" {
  type        = string
  default     = null
  description = "The values.json that deploy/kubernetes/generate-secrets.mjs wrote. With it MySQL and Redis run in this cluster, one of each on a volume, with its passwords; without, they are elsewhere."
}

variable "mysql_storage" {
  type        = string
  default     = "50Gi"
  description = "The size of MySQL's volume."
}

variable "redis_storage" {
  type        = string
  default     = "10Gi"
  description = "The size of Redis's volume."
}
