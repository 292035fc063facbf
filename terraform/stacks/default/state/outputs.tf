output "buckets" {
  description = "Bucket by Region."
  value       = module.state.buckets
}

output "key_arns" {
  description = "KMS key of the bucket by Region."
  value       = module.state.key_arns
}
