# The health monitor looks, reports, keeps its Region's lease and fences its own
# Region. It can't move the writer.
resource "aws_iam_role" "health_monitor" {
  for_each = toset(local.regions)

  name               = "${var.name}-health-monitor-${each.key}"
  description        = "Health monitor of ${var.name} in ${each.key}: watches, keeps the lease, fences its own Region"
  assume_role_policy = local.trust_lambda
}

# The wildcards left are ends of names (instances, log streams, network interfaces) or
# stand where the service knows no resource; each says so at its statement.
#trivy:ignore:AWS-0057
resource "aws_iam_role_policy" "health_monitor" {
  for_each = toset(local.regions)

  name = "health-monitor"
  role = aws_iam_role.health_monitor[each.key].name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      local.observe_statements,
      local.shared_statements[each.key],
      [
        {
          Sid      = "WriteLogs"
          Effect   = "Allow"
          Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
          Resource = "arn:aws:logs:${each.key}:${var.account_id}:log-group:/aws/lambda/${var.name}-health-monitor:*"
        },
      ],
      local.monitor_statements[each.key],
    )
  })
}

# What tells a monitor beside a database from the witness's.
locals {
  monitor_statements = merge(
    { for r in local.regions : r => local.witness_statements },
    { for r in local.members : r => concat(
      local.fence_statements[r], local.member_statements[r], local.lease_statements[r], local.monitor_network_statements[r],
    ) },
  )

  fence_statements = {
    for r in local.members : r => [
      {
        # Fencing: a server that doesn't answer is restarted, and boots read-only.
        # Only in this Region: a monitor may not restart another Region's servers.
        Sid      = "RestartOwnInstances"
        Effect   = "Allow"
        Action   = "rds:RebootDBInstance"
        Resource = "arn:aws:rds:${r}:${var.account_id}:db:${var.name}-${r}-*"
      },
      {
        # Fencing and opening want CONNECTION_ADMIN, which the master user has. Only the
        # monitor fences: the trigger, which moves the writer, gets no such login.
        Sid      = "ReadMasterLogin"
        Effect   = "Allow"
        Action   = "secretsmanager:GetSecretValue"
        Resource = local.master_secret_arns[r]
      },
      {
        # The monitor invokes the trigger of its own Region only: the other Region's would
        # move the writer to where the fault is.
        Sid      = "AskOwnTrigger"
        Effect   = "Allow"
        Action   = "lambda:InvokeFunction"
        Resource = local.trigger_arns[r]
      },
      {
        # CloudWatch knows no resource for reading metrics.
        Sid      = "ReadReplicationLag"
        Effect   = "Allow"
        Action   = "cloudwatch:GetMetricData"
        Resource = "*"
      },
    ]
  }

  monitor_network_statements = {
    for r in local.members : r => concat(local.network_statements[r], [merge(local.network_denial, {
      Condition = { ArnEquals = { "lambda:SourceFunctionArn" = local.monitor_arns[r] } }
    })])
  }

  # Reads the lease, renews it, gives it back and reports, through both replicas: a
  # Region whose own DynamoDB is gone keeps its healthy writer through the other one's.
  lease_statements = {
    for r in local.members : r => [
      {
        Sid      = "KeepLease"
        Effect   = "Allow"
        Action   = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"]
        Resource = values(local.table_arns)
      },
    ]
  }

  # A multi-Region strongly consistent table can't be read or written in its witness
  # Region, so the witness goes to the members' replicas: it reads lease and reports,
  # and adds its own report. It never renews or takes the lease.
  witness_statements = [
    {
      Sid      = "ReadLeaseAndReport"
      Effect   = "Allow"
      Action   = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"]
      Resource = values(local.table_arns)
    },
  ]
}
