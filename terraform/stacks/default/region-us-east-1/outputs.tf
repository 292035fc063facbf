output "vpc_id" {
  description = "The VPC."
  value       = module.network.vpc_id
}

output "vpc_cidr" {
  description = "Addresses of the VPC."
  value       = module.network.vpc_cidr
}

output "route_table_ids" {
  description = "Route table of each zone."
  value       = module.network.route_table_ids
}

output "rds_endpoint" {
  description = "Interface endpoint of the RDS API."
  value       = module.network.rds_endpoint
}

output "dynamodb_endpoint" {
  description = "Interface endpoint of DynamoDB, for the other Region."
  value       = module.network.dynamodb_endpoint
}

output "cluster_identifier" {
  description = "This Region's member of the global cluster."
  value       = module.database.cluster_identifier
}

output "endpoint" {
  description = "Cluster endpoint in this Region; it accepts writes only while the writer is here."
  value       = module.database.endpoint
}

output "reader_endpoint" {
  description = "Reader endpoint in this Region."
  value       = module.database.reader_endpoint
}

output "topic_arn" {
  description = "Topic of the alarms."
  value       = module.monitoring.topic_arn
}

output "role_alarm_names" {
  description = "This Region's alarms about where the writer is, by member."
  value       = module.monitoring.role_alarm_names
}

output "role_alarm_definitions" {
  description = "What those alarms compare."
  value       = module.monitoring.role_alarm_definitions
}

output "function_names" {
  description = "The Lambda functions."
  value       = module.failover.function_names
}
