# One key in each Region, for everything that this deployment keeps there. No
# multi-Region keys: replicas share their key material, and what encrypts in one
# Region must not hang on what happened to a key in another.
resource "aws_kms_key" "this" {
  for_each = toset(local.regions)

  region                  = each.key
  description             = "Data, logs and messages of ${var.name} in ${each.key}"
  enable_key_rotation     = true
  deletion_window_in_days = 30 # the longest: a cluster whose key is gone can't be recovered

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          # Without it no identity could change the key any more. IAM policies say which may.
          # In a key policy, "*" is this key.
          Sid       = "AccountAdministers"
          Effect    = "Allow"
          Principal = { AWS = "arn:aws:iam::${var.account_id}:root" }
          Action    = "kms:*"
          Resource  = "*"
        },
        {
          Sid       = "LogsEncryptThisDeploymentsGroups"
          Effect    = "Allow"
          Principal = { Service = "logs.${each.key}.amazonaws.com" }
          Action = [
            "kms:Decrypt",
            "kms:DescribeKey",
            "kms:Encrypt",
            "kms:GenerateDataKey*",
            "kms:ReEncrypt*",
          ]
          Resource = "*"
          Condition = {
            ArnLike = {
              "kms:EncryptionContext:aws:logs:arn" = [
                "arn:aws:logs:${each.key}:${var.account_id}:log-group:${var.name}-*",
                "arn:aws:logs:${each.key}:${var.account_id}:log-group:/aws/lambda/${var.name}-*",
                "arn:aws:logs:${each.key}:${var.account_id}:log-group:/aws/rds/cluster/${var.name}-*",
              ]
            }
          }
        },
        {
          Sid       = "AlarmsNotify"
          Effect    = "Allow"
          Principal = { Service = "cloudwatch.amazonaws.com" }
          Action    = ["kms:Decrypt", "kms:GenerateDataKey*"]
          Resource  = "*"
          Condition = {
            StringEquals = { "aws:SourceAccount" = var.account_id }
            ArnLike      = { "aws:SourceArn" = "arn:aws:cloudwatch:${each.key}:${var.account_id}:alarm:${var.name}-*" }
          }
        },
        {
          # A tick that reaches no function goes to the encrypted dead-letter queue. The
          # rule's ARN holds the account; EventBridge documents no other condition.
          Sid       = "ScheduleKeepsFailedTicks"
          Effect    = "Allow"
          Principal = { Service = "events.amazonaws.com" }
          Action    = ["kms:Decrypt", "kms:GenerateDataKey*"]
          Resource  = "*"
          Condition = { ArnLike = { "aws:SourceArn" = "arn:aws:events:${each.key}:${var.account_id}:rule/${var.name}-*" } }
        },
        {
          # The roles are named here, so that their own policies need no KMS action.
          Sid       = "FunctionsReadSettingsAndSecret"
          Effect    = "Allow"
          Principal = { AWS = local.key_users[each.key] }
          Action    = "kms:Decrypt"
          Resource  = "*"
          Condition = {
            StringEquals = {
              "kms:ViaService" = [
                "lambda.${each.key}.amazonaws.com",
                "secretsmanager.${each.key}.amazonaws.com",
              ]
            }
          }
        },
        {
          Sid       = "FunctionsSendMessages"
          Effect    = "Allow"
          Principal = { AWS = local.key_users[each.key] }
          Action    = ["kms:Decrypt", "kms:GenerateDataKey*"]
          Resource  = "*"
          Condition = {
            StringEquals = {
              "kms:ViaService" = [
                "sns.${each.key}.amazonaws.com",
                "sqs.${each.key}.amazonaws.com",
              ]
            }
          }
        },
      ],
      [
        for statement in [{
          # Every function asks the replicas of both members: the witness's monitor has none
          # of its own, the others use the peer's while their Region's doesn't answer.
          Sid       = "FunctionsUseLease"
          Effect    = "Allow"
          Principal = { AWS = local.lease_users[each.key] }
          Action    = ["kms:Decrypt", "kms:DescribeKey"]
          Resource  = "*"
          Condition = { StringEquals = { "kms:ViaService" = "dynamodb.${each.key}.amazonaws.com" } }
        }] : statement if contains(local.members, each.key)
      ],
    )
  })

  tags = { Name = var.name }
}

resource "aws_kms_alias" "this" {
  for_each = toset(local.regions)

  region        = each.key
  name          = "alias/${var.name}"
  target_key_id = aws_kms_key.this[each.key].key_id
}

locals {
  # The functions' roles of a Region, in the order that makes the policy stable.
  key_users = {
    for r in local.regions : r => concat(
      [local.health_monitor_role_arns[r]],
      [for m in local.members : local.failover_trigger_role_arns[m] if m == r],
    )
  }

  # Those of all Regions, the key's own first.
  lease_users = {
    for r in local.regions : r => concat(
      local.key_users[r], flatten([for other in local.regions : local.key_users[other] if other != r]),
    )
  }
}
