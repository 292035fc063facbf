# The monitor writes every change of verdict as a line (pkg/dr/cloudwatch, Events);
# its embedded metric counts changes of any kind. This filter counts the ones that
# find the other Region impaired. A Region's finding about itself starts nothing.
# A fresh monitor finds anew, so a lasting impairment is counted every minute.
resource "aws_cloudwatch_log_metric_filter" "impaired" {
  count = local.member ? 1 : 0

  name           = "${var.name}-impaired"
  log_group_name = aws_cloudwatch_log_group.function["health_monitor"].name
  pattern        = "{ ($.VerdictChanges = 1) && ($.State = \"Impaired\") && ($.Subject != \"${var.region}\") }"

  metric_transformation {
    namespace = "Lifeboat"
    name      = "ImpairedVerdicts"
    value     = "1"
    unit      = "Count"

    dimensions = {
      Region        = "$.Region"
      GlobalCluster = "$.GlobalCluster"
    }
  }
}

# Wakes the trigger of this Region. The trigger believes nothing: it asks for the
# evidence again, takes an epoch, proves the fence and passes the gate, or stops.
resource "aws_cloudwatch_metric_alarm" "impaired" {
  count = local.member ? 1 : 0

  alarm_name        = "${var.name}-impaired"
  alarm_description = "The monitor in ${var.region} finds the other Region impaired. Wakes ${local.functions["failover_trigger"].name}, which decides by itself."

  namespace   = "Lifeboat"
  metric_name = "ImpairedVerdicts"
  dimensions = {
    Region        = var.region
    GlobalCluster = var.global_cluster_identifier
  }

  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1

  # A count of events has no data in good times. That the monitor is there at all is
  # watched by the dead-man alarm of module monitoring.
  treat_missing_data = "notBreaching"

  alarm_actions = [aws_lambda_function.function["failover_trigger"].arn, var.topic_arn]
  ok_actions    = [var.topic_arn]

  # An alarm that may not invoke yet would lose its first action.
  depends_on = [aws_lambda_permission.impaired]
}

resource "aws_lambda_permission" "impaired" {
  count = local.member ? 1 : 0

  statement_id   = "ImpairmentAlarm"
  action         = "lambda:InvokeFunction"
  function_name  = aws_lambda_function.function["failover_trigger"].function_name
  principal      = "lambda.alarms.cloudwatch.amazonaws.com"
  source_account = var.account_id
  source_arn     = "arn:aws:cloudwatch:${var.region}:${var.account_id}:alarm:${var.name}-impaired"
}
