output "topic_arn" {
  description = "Topic of this Region that alarms and functions tell people by."
  value       = aws_sns_topic.alerts.arn
}

output "alarm_arns" {
  description = "ARN of every alarm that pages, by what it is about. The role alarms have no action: see role_alarm_names."
  value = merge(
    {
      dead_letters = aws_cloudwatch_metric_alarm.dead_letters.arn
    },
    { for key, alarm in aws_cloudwatch_metric_alarm.monitor : replace(key, "-", "_") => alarm.arn },
    { for key, alarm in aws_cloudwatch_metric_alarm.function : trimprefix(key, "${var.name}-") => alarm.arn },
    !local.member ? {} : {
      role_silent    = aws_cloudwatch_metric_alarm.role_silent[0].arn
      lag            = aws_cloudwatch_metric_alarm.lag[0].arn
      lag_unread     = aws_cloudwatch_metric_alarm.lag_unread[0].arn
      lag_unmeasured = aws_cloudwatch_composite_alarm.lag_unmeasured[0].arn
      cpu            = aws_cloudwatch_metric_alarm.cpu[0].arn
      connections    = aws_cloudwatch_metric_alarm.connections[0].arn
      operator       = aws_cloudwatch_metric_alarm.operator[0].arn
    },
  )
}

output "role_alarm_names" {
  description = "By member Region: the name of THIS Region's alarm about it, in alarm while the writer is not there. Empty in the witness."
  value       = { for member, alarm in aws_cloudwatch_metric_alarm.role : member => alarm.alarm_name }
}

output "role_alarm_definitions" {
  description = "By member Region: what that alarm compares. Module dns makes Route 53 read the alarm again when this changes."
  value       = { for member, alarm in aws_cloudwatch_metric_alarm.role : member => jsonencode(local.role_metric) }
}

output "dashboard_name" {
  description = "Name of this Region's dashboard."
  value       = aws_cloudwatch_dashboard.this.dashboard_name
}
