output "buckets" {
  description = "Region → name of the state bucket there."
  value       = { (var.regions[0]) = module.first.bucket, (var.regions[1]) = module.second.bucket }
}

output "key_arns" {
  description = "Region → ARN of the KMS key that encrypts the state there. In both Regions alias/<name>-state leads to it."
  value       = local.key_arns
}
