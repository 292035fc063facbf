locals {
  # The witness holds no member: it has no cluster, no role metric and no lag.
  member = contains(var.members, var.region)

  # WriterHere carries these two, and so do the metrics of the event lines
  # (pkg/dr/cloudwatch, Role and Events).
  lifeboat = {
    Region        = var.region
    GlobalCluster = var.global_cluster_identifier
  }
}

# The topic of this Region: a topic in the lost Region would deliver nothing.
resource "aws_sns_topic" "alerts" {
  name              = "${var.name}-alerts"
  kms_master_key_id = var.key_arn
  signature_version = 2 # SHA-256; 1 is SHA-1
}

resource "aws_sns_topic_policy" "alerts" {
  arn = aws_sns_topic.alerts.arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "AlarmsPublish"
        Effect    = "Allow"
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.alerts.arn
        Condition = {
          StringEquals = { "aws:SourceAccount" = var.account_id }
          ArnLike      = { "aws:SourceArn" = "arn:aws:cloudwatch:${var.region}:${var.account_id}:alarm:${var.name}-*" }
        }
      },
      {
        Sid       = "OnlyEncryptedInTransit"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.alerts.arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

# Each address gets one mail from AWS that it must confirm.
resource "aws_sns_topic_subscription" "email" {
  for_each = toset(var.notification_emails)

  topic_arn = aws_sns_topic.alerts.arn
  protocol  = "email"
  endpoint  = each.key
}

# A warning and no error: a rehearsal may go without subscribers.
check "has_subscribers" {
  assert {
    condition     = length(var.notification_emails) > 0
    error_message = "notification_emails is empty: the alarms of ${var.region} have no subscriber. Give at least one address."
  }
}
