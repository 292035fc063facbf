output "global_cluster_identifier" {
  description = "Identifier of the global cluster."
  value       = module.database.global_cluster_identifier
}

output "writer_endpoint" {
  description = "Aurora's global writer endpoint: what applications connect to."
  value       = module.database.writer_endpoint
}

output "master_secret_arns" {
  description = "Secret of the master login by Region."
  value       = module.database.master_secret_arns
}

output "functions_secret_arns" {
  description = "Secret of the functions' login by Region."
  value       = module.database.functions_secret_arns
}

output "lease_table_name" {
  description = "Name of the lease table."
  value       = module.lease.table_name
}

output "key_arns" {
  description = "KMS key by Region."
  value       = module.access.key_arns
}

output "health_monitor_role_arns" {
  description = "Role of the health monitor by Region."
  value       = module.access.health_monitor_role_arns
}

output "failover_trigger_role_arns" {
  description = "Role of the failover trigger by Region."
  value       = module.access.failover_trigger_role_arns
}

output "rds_monitoring_role_arn" {
  description = "Role of RDS Enhanced Monitoring."
  value       = module.access.rds_monitoring_role_arn
}

output "flow_logs_role_arn" {
  description = "Role of the VPC flow logs."
  value       = module.access.flow_logs_role_arn
}
