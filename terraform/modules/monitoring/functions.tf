# Who watches the watcher. In a member the heartbeat is the role metric: it is
# published every minute by a monitor that lives AND knows where the writer is, so its
# silence means dead or blind. The witness publishes none; there a run counts.
locals {
  heartbeat = local.member ? {
    namespace   = "Lifeboat"
    metric_name = "WriterHere"
    statistic   = "SampleCount"
    dimensions  = local.lifeboat
    } : {
    namespace   = "AWS/Lambda"
    metric_name = "Invocations"
    statistic   = "Sum"
    dimensions  = { FunctionName = local.monitor }
  }

  # One alarm for each function and kind of failure.
  failures = {
    for pair in setproduct(var.function_names, ["Errors", "Throttles"]) :
    "${pair[0]}-${lower(pair[1])}" => { function = pair[0], metric = pair[1] }
  }
}

resource "aws_cloudwatch_metric_alarm" "heartbeat" {
  alarm_name        = "${var.name}-monitor-silent"
  alarm_description = "The health monitor of ${var.region} has been silent for 3 minutes: it is dead, or can't tell where the writer is. Nobody watches from here, and this Region may not renew its lease."

  namespace   = local.heartbeat.namespace
  metric_name = local.heartbeat.metric_name
  dimensions  = local.heartbeat.dimensions

  statistic           = local.heartbeat.statistic
  period              = 60
  evaluation_periods  = 3
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  treat_missing_data  = "breaching" # the point of a dead-man alarm

  alarm_actions = [aws_sns_topic.alerts.arn]
  ok_actions    = [aws_sns_topic.alerts.arn]
}

resource "aws_cloudwatch_metric_alarm" "function" {
  for_each = local.failures

  alarm_name        = each.key
  alarm_description = "${each.value.function} in ${var.region}: ${each.value.metric} in the last minute."

  namespace   = "AWS/Lambda"
  metric_name = each.value.metric
  dimensions  = { FunctionName = each.value.function }

  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  treat_missing_data  = "notBreaching" # not invoked is not failed; a monitor that is not invoked trips the heartbeat

  alarm_actions = [aws_sns_topic.alerts.arn]
  ok_actions    = [aws_sns_topic.alerts.arn]
}

resource "aws_cloudwatch_metric_alarm" "dead_letters" {
  alarm_name        = "${var.name}-dead-letters"
  alarm_description = "An invocation in ${var.region} was given up: read ${var.dead_letter_queue_name}. If it is the trigger's, a failover may stand half done; its journal says where."

  namespace   = "AWS/SQS"
  metric_name = "ApproximateNumberOfMessagesVisible"
  dimensions  = { QueueName = var.dead_letter_queue_name }

  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching" # SQS sends nothing for a queue that nobody has used for hours

  alarm_actions = [aws_sns_topic.alerts.arn]
  ok_actions    = [aws_sns_topic.alerts.arn]
}

# The message of package notify says what is asked. This alarm is there for the case
# that it did not get out.
resource "aws_cloudwatch_metric_alarm" "operator" {
  count = local.member ? 1 : 0

  alarm_name        = "${var.name}-operator"
  alarm_description = "An execution in ${var.region} has stopped and asks a person. The journal and the log of ${var.name}-failover-trigger say what."

  namespace   = "Lifeboat"
  metric_name = "ExecutionsOperator" # pkg/dr/cloudwatch, Events
  dimensions  = local.lifeboat

  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  treat_missing_data  = "notBreaching" # a count of events has no data in good times

  alarm_actions = [aws_sns_topic.alerts.arn]
}
