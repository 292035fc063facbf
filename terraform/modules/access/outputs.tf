output "key_arns" {
  description = "ARN of the KMS key by Region, the witness's included."
  value       = { for r, key in aws_kms_key.this : r => "arn:aws:kms:${r}:${var.account_id}:key/${key.key_id}" }
}

output "health_monitor_role_arns" {
  description = "ARN of the health monitor's role by Region, the witness's included."
  value       = local.health_monitor_role_arns
}

output "failover_trigger_role_arns" {
  description = "ARN of the failover trigger's role by member Region."
  value       = local.failover_trigger_role_arns
}

output "rds_monitoring_role_arn" {
  description = "ARN of the role of RDS Enhanced Monitoring."
  value       = "arn:aws:iam::${var.account_id}:role/${aws_iam_role.rds_monitoring.name}"
}

output "flow_logs_role_arn" {
  description = "ARN of the role of VPC Flow Logs."
  value       = "arn:aws:iam::${var.account_id}:role/${aws_iam_role.flow_logs.name}"
}
