# The failover trigger moves the writer, and only that. It stands in both member
# Regions, because the one that acts is the one that is left.
resource "aws_iam_role" "failover_trigger" {
  for_each = toset(local.members)

  name               = "${var.name}-failover-trigger-${each.key}"
  description        = "Failover trigger of ${var.name} in ${each.key}: moves the writer of the global cluster"
  assume_role_policy = local.trust_lambda
}

# The wildcards left are ends of names (instances, log streams, network interfaces) or
# stand where the service knows no resource; each says so at its statement.
#trivy:ignore:AWS-0057
resource "aws_iam_role_policy" "failover_trigger" {
  for_each = toset(local.members)

  name = "failover-trigger"
  role = aws_iam_role.failover_trigger[each.key].name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      local.observe_statements,
      local.shared_statements[each.key],
      [
        {
          # RDS asks for all three: the global cluster, the member that shall write and
          # the one that does now (Application Recovery Controller guide, sample policy
          # for Aurora global databases).
          Sid      = "MoveWriter"
          Effect   = "Allow"
          Action   = ["rds:FailoverGlobalCluster", "rds:SwitchoverGlobalCluster"]
          Resource = concat([local.global_cluster_arn], values(local.cluster_arns))
        },
        {
          # Takes the lease and keeps the journal; renewing is the monitor's. Through both
          # replicas: the table is there as long as DynamoDB of one member answers.
          Sid      = "TakeLease"
          Effect   = "Allow"
          Action   = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"]
          Resource = values(local.table_arns)
        },
        {
          Sid      = "WriteLogs"
          Effect   = "Allow"
          Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
          Resource = "arn:aws:logs:${each.key}:${var.account_id}:log-group:/aws/lambda/${var.name}-failover-trigger:*"
        },
      ],
      local.member_statements[each.key],
      local.network_statements[each.key],
      [merge(local.network_denial, {
        Condition = { ArnEquals = { "lambda:SourceFunctionArn" = local.trigger_arns[each.key] } }
      })],
    )
  })
}
