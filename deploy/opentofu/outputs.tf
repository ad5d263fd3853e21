output "mysql" {
  description = "For generate-secrets.mjs --mysql."
  value       = var.stores == null ? null : "mysql.caravan-stores.svc:3306"
}

output "redis" {
  description = "For REDIS_HOST of the overlay."
  value       = var.stores == null ? null : "redis.caravan-stores.svc:6379"
}
