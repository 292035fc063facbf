# Aurora sends the lag of a global database once a minute, and only in the Region
# that does not have the writer (Aurora User Guide, metrics of Aurora global
# databases). Both Regions carry these alarms about their own cluster, so that they
# hold after a failover without a change.
locals {
  cluster = local.member ? { DBClusterIdentifier = var.cluster_identifier } : {}
}

# Where the metric is: too much lag. Where it is not, this alarm is quiet, and
# lag_unmeasured below asks why.
resource "aws_cloudwatch_metric_alarm" "lag" {
  count = local.member ? 1 : 0

  alarm_name        = "${var.name}-lag"
  alarm_description = "Replication to ${var.region} is more than ${var.thresholds.replication_lag_ms} ms behind. A failover now would lose more; above the policy's MaxDataLoss it asks a person. Look for a large transaction at the writer, and at the CPU here."

  namespace   = "AWS/RDS"
  metric_name = "AuroraGlobalDBRPOLag" # the one that AWS names for Aurora MySQL from 3.04 on
  dimensions  = local.cluster

  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 2
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.thresholds.replication_lag_ms
  treat_missing_data  = "notBreaching"

  alarm_actions = [aws_sns_topic.alerts.arn]
  ok_actions    = [aws_sns_topic.alerts.arn]
}

# In alarm whenever there is no lag metric. Normal in the writer's Region, and
# therefore without an action of its own.
resource "aws_cloudwatch_metric_alarm" "lag_silent" {
  count = local.member ? 1 : 0

  alarm_name        = "${var.name}-lag-silent"
  alarm_description = "No replication lag is measured in ${var.region}. Normal while the writer is here; see ${var.name}-lag-unmeasured."

  namespace   = "AWS/RDS"
  metric_name = "AuroraGlobalDBRPOLag"
  dimensions  = local.cluster

  statistic           = "SampleCount"
  period              = 60
  evaluation_periods  = 5 # AWS sends it a minute or two late
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  treat_missing_data  = "breaching"
}

# No lag although the writer is elsewhere: replication has stopped, or this Region's
# cluster is being rebuilt. Missing lag is never zero.
resource "aws_cloudwatch_composite_alarm" "lag_unmeasured" {
  count = local.member ? 1 : 0

  alarm_name        = "${var.name}-lag-unmeasured"
  alarm_description = "The writer is not in ${var.region}, and no replication to it is measured: there may be nothing to fail over to. Expected while a member is rebuilt after a failover, minutes to hours. If it stays, ask RDS for the status of ${var.cluster_identifier} and of the global cluster."

  alarm_rule = join(" AND ", [
    "ALARM(\"${aws_cloudwatch_metric_alarm.lag_silent[0].alarm_name}\")",
    "ALARM(\"${aws_cloudwatch_metric_alarm.role[var.region].alarm_name}\")",
  ])

  alarm_actions = [aws_sns_topic.alerts.arn]
  ok_actions    = [aws_sns_topic.alerts.arn]
}

# What the gate goes by is the lag that the monitor reads by SQL, and a sample that is
# older than dr.Policy.MaxLagAge (5 s) counts as none.
resource "aws_cloudwatch_metric_alarm" "lag_unread" {
  count = local.member ? 1 : 0

  alarm_name        = "${var.name}-lag-unread"
  alarm_description = "The health monitor of ${var.region} has read no replication lag for minutes: a failover to here would ask a person first. Read its log for Problems: the login of the functions, the database's security groups, or a cluster that is being rebuilt."

  namespace   = "Lifeboat"
  metric_name = "RPOLagAge" # pkg/dr/cloudwatch, Events
  dimensions  = local.lifeboat

  statistic           = "Minimum" # the youngest of a minute: one good sample is enough
  period              = 60
  evaluation_periods  = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = 10000
  treat_missing_data  = "notBreaching" # where the writer is, nothing is replicated to

  alarm_actions = [aws_sns_topic.alerts.arn]
  ok_actions    = [aws_sns_topic.alerts.arn]
}

# The busiest instance: an average over the cluster would halve what the one with the
# load shows. Pages people and never starts a failover, which would only move the load.
resource "aws_cloudwatch_metric_alarm" "cpu" {
  count = local.member ? 1 : 0

  alarm_name        = "${var.name}-cpu"
  alarm_description = "An instance of ${var.cluster_identifier} uses more than ${var.thresholds.cpu_percent} % CPU for 8 of 10 minutes, or the cluster reports nothing. Raise max_acu in both Regions, or find the query; a failover would only move the load."

  namespace   = "AWS/RDS"
  metric_name = "CPUUtilization"
  dimensions  = local.cluster

  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 10
  datapoints_to_alarm = 8
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.thresholds.cpu_percent
  treat_missing_data  = "missing"

  alarm_actions = [aws_sns_topic.alerts.arn]
  ok_actions    = [aws_sns_topic.alerts.arn]

  # A running instance always has a CPU: silence means that there is none.
  insufficient_data_actions = [aws_sns_topic.alerts.arn]
}

resource "aws_cloudwatch_metric_alarm" "connections" {
  count = local.member ? 1 : 0

  alarm_name        = "${var.name}-connections"
  alarm_description = "An instance of ${var.cluster_identifier} has more than ${var.thresholds.connections} connections for 8 of 10 minutes. Look for clients that don't return their connections; near max_connections the functions are refused, too."

  namespace   = "AWS/RDS"
  metric_name = "DatabaseConnections"
  dimensions  = local.cluster

  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 10
  datapoints_to_alarm = 8
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.thresholds.connections
  treat_missing_data  = "missing" # that a cluster reports nothing is said by the CPU alarm

  alarm_actions = [aws_sns_topic.alerts.arn]
  ok_actions    = [aws_sns_topic.alerts.arn]
}
