output "topic_arn" {
  description = "Topic of the alarms."
  value       = module.monitoring.topic_arn
}

output "function_names" {
  description = "The Lambda functions."
  value       = module.failover.function_names
}
