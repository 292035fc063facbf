# The minute tick starts a loop that probes until the next tick has taken over: a
# schedule alone, at most once a minute, can't detect in 20 s.
resource "aws_cloudwatch_event_rule" "tick" {
  name                = "${var.name}-health-monitor"
  description         = "Starts the health monitor of ${var.region} every minute."
  schedule_expression = "rate(1 minute)"
}

resource "aws_cloudwatch_event_target" "tick" {
  rule      = aws_cloudwatch_event_rule.tick.name
  target_id = "health-monitor"
  arn       = aws_lambda_function.function["health_monitor"].arn

  # A tick that is late by a minute is worth nothing.
  retry_policy {
    maximum_event_age_in_seconds = 60
    maximum_retry_attempts       = 2
  }

  dead_letter_config {
    arn = aws_sqs_queue.dead_letters.arn
  }

  # The first tick comes at once. Without the permission it would be refused, and land in
  # the queue, where it pages; without the queue's policy it would be lost.
  depends_on = [aws_lambda_permission.tick, aws_sqs_queue_policy.dead_letters]
}

# No source_account: EventBridge documents aws:SourceArn alone for rules that invoke
# Lambda (user guide, resource-based policies), and a condition on a key that a call
# does not carry would refuse every tick. The rule's ARN names the account.
resource "aws_lambda_permission" "tick" {
  statement_id  = "MinuteTick"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.function["health_monitor"].function_name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.tick.arn
}
