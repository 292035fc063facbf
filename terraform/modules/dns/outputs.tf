output "zone_id" {
  description = "ID of the private zone."
  value       = aws_route53_zone.this.zone_id
}

output "record_name" {
  description = "Name that answers with the cluster endpoint of the Region that has the writer. For the application tier; see README.md for why clients of the database use the global writer endpoint instead."
  value       = local.record_name
}

output "health_check_ids" {
  description = "Health check of each member Region's record, by Region."
  value       = { for region, check in aws_route53_health_check.role : region => check.id }
}

output "steering" {
  description = "By member Region: the alarm that its record follows, where it stands, the record's place in the order and what silence means. For a runbook, and for the tests of the truth table."
  value = {
    for region, check in aws_route53_health_check.role : region => {
      alarm_name   = check.cloudwatch_alarm_name
      alarm_region = check.cloudwatch_alarm_region
      silence      = check.insufficient_data_health_status
      inverted     = check.invert_healthcheck
      order        = one(aws_route53_record.db[region].failover_routing_policy).type
    }
  }
}
