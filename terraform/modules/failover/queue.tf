# Invocations that Lambda, and ticks that EventBridge, gave up on. Module monitoring pages as soon as one is here.
resource "aws_sqs_queue" "dead_letters" {
  name                       = "${var.name}-dead-letters"
  kms_master_key_id          = var.key_arn
  message_retention_seconds  = 1209600 # 14 days, SQS's maximum: time to look, and to redrive by hand
  visibility_timeout_seconds = 60
}

# No other queue may use this one for its dead letters: all that arrives failed in Lambda.
resource "aws_sqs_queue_redrive_allow_policy" "dead_letters" {
  queue_url            = aws_sqs_queue.dead_letters.url
  redrive_allow_policy = jsonencode({ redrivePermission = "denyAll" })
}

resource "aws_sqs_queue_policy" "dead_letters" {
  queue_url = aws_sqs_queue.dead_letters.url

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        # Lambda sends with the role of the function that failed.
        Sid       = "FunctionsSend"
        Effect    = "Allow"
        Principal = { AWS = compact([var.health_monitor_role_arn, var.failover_trigger_role_arn]) }
        Action    = "sqs:SendMessage"
        Resource  = aws_sqs_queue.dead_letters.arn
      },
      {
        # EventBridge sends the ticks that reached no function (user guide, dead-letter queues).
        Sid       = "ScheduleSends"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = aws_sqs_queue.dead_letters.arn
        Condition = { ArnEquals = { "aws:SourceArn" = aws_cloudwatch_event_rule.tick.arn } }
      },
      {
        Sid       = "OnlyEncryptedInTransit"
        Effect    = "Deny"
        Principal = "*"
        Action    = ["sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage"]
        Resource  = aws_sqs_queue.dead_letters.arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}
