output "key_arns" {
  description = "ARN of the KMS key by Region, the witness's included."
  value       = { for r, key in aws_kms_key.this : r => key.arn }
}

output "health_monitor_role_arns" {
  description = "ARN of the health monitor's role by Region, the witness's included."
  value       = { for r, role in aws_iam_role.health_monitor : r => role.arn }
}

output "failover_trigger_role_arns" {
  description = "ARN of the failover trigger's role by member Region."
  value       = { for r, role in aws_iam_role.failover_trigger : r => role.arn }
}

output "rds_monitoring_role_arn" {
  description = "ARN of the role of RDS Enhanced Monitoring."
  value       = aws_iam_role.rds_monitoring.arn
}

output "flow_logs_role_arn" {
  description = "ARN of the role of VPC Flow Logs."
  value       = aws_iam_role.flow_logs.arn
}
