# Where the writer is, as this Region sees it: one alarm about each member, in alarm
# while the writer is not there. Module dns lets the record of a Region follow the
# alarm about it in the OTHER Region. No actions: either state is normal, and Route 53
# reads the metric, not the state.
locals {
  role_metric = {
    namespace           = "Lifeboat"
    metric_name         = "WriterHere" # pkg/dr/cloudwatch, RoleMetric
    statistic           = "Minimum"    # a minute in which the writer left counts as gone, at once
    period              = 60           # Route 53 can't read high resolution
    evaluation_periods  = 1
    comparison_operator = "LessThanThreshold"
    threshold           = 1
    treat_missing_data  = "missing" # silence must reach Route 53 as silence
  }
}

resource "aws_cloudwatch_metric_alarm" "role" {
  for_each = toset(local.member ? var.members : [])

  alarm_name        = "${var.name}-role-${each.key}"
  alarm_description = "In alarm while the writer is not in ${each.key}, as the monitor of ${var.region} reports. Steers DNS, has no action."

  namespace   = local.role_metric.namespace
  metric_name = local.role_metric.metric_name
  dimensions = {
    Region        = each.key
    GlobalCluster = var.global_cluster_identifier
  }

  statistic           = local.role_metric.statistic
  period              = local.role_metric.period
  evaluation_periods  = local.role_metric.evaluation_periods
  comparison_operator = local.role_metric.comparison_operator
  threshold           = local.role_metric.threshold
  treat_missing_data  = local.role_metric.treat_missing_data
}

# A monitor publishes both every minute, if it lives and has confirmed where the writer
# is. That it lives is watched by monitor-silent.
resource "aws_cloudwatch_metric_alarm" "role_silent" {
  count = local.member ? 1 : 0

  alarm_name        = "${var.name}-role-silent"
  alarm_description = "${var.region} has not said for 3 minutes where the writer is. If ${var.name}-monitor-silent is in alarm too, that is why. Otherwise the monitor can't ask the RDS API, or can't publish metrics: its log says. The records of module dns don't follow the writer meanwhile; the global writer endpoint does."

  namespace   = local.role_metric.namespace
  metric_name = local.role_metric.metric_name
  dimensions  = local.lifeboat

  statistic           = "SampleCount"
  period              = 60
  evaluation_periods  = 3
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  treat_missing_data  = "breaching"

  alarm_actions = [aws_sns_topic.alerts.arn]
  ok_actions    = [aws_sns_topic.alerts.arn]
}
