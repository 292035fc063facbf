# The ARNs that the policies name. The things behind them are made by other modules,
# some of them later and in other states; the names are Lifeboat's convention, so the
# policies need no wildcard to be written first.
locals {
  # Sorted, so that naming the members in another order changes no policy.
  members = sort(var.members)
  regions = sort(compact(concat(var.members, [var.witness])))

  # A global cluster belongs to no Region: the field is empty.
  global_cluster_arn = "arn:aws:rds::${var.account_id}:global-cluster:${var.name}"
  cluster_arns       = { for r in local.members : r => "arn:aws:rds:${r}:${var.account_id}:cluster:${var.name}-${r}" }
  table_arns         = { for r in local.members : r => "arn:aws:dynamodb:${r}:${var.account_id}:table/${var.name}-lease" }

  # Secrets Manager ends every ARN with a hyphen and six characters of its own.
  functions_secret_arns = { for r in local.members : r => "arn:aws:secretsmanager:${r}:${var.account_id}:secret:${var.name}-functions-??????" }
  master_secret_arns    = { for r in local.members : r => "arn:aws:secretsmanager:${r}:${var.account_id}:secret:${var.name}-master-??????" }

  topic_arns = { for r in local.regions : r => "arn:aws:sns:${r}:${var.account_id}:${var.name}-alerts" }
  queue_arns = { for r in local.regions : r => "arn:aws:sqs:${r}:${var.account_id}:${var.name}-dead-letters" }

  monitor_arns = { for r in local.regions : r => "arn:aws:lambda:${r}:${var.account_id}:function:${var.name}-health-monitor" }
  trigger_arns = { for r in local.members : r => "arn:aws:lambda:${r}:${var.account_id}:function:${var.name}-failover-trigger" }

  # The namespace of the metrics that Lifeboat publishes: cloudwatch.Namespace in Go.
  metric_namespace = "Lifeboat"

  trust_lambda = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "LambdaRunsFunctions"
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })

  # Built from the role's name, which waits for the role, instead of read from it: so a
  # plan shows key policies in full before anything exists.
  health_monitor_role_arns   = { for r, role in aws_iam_role.health_monitor : r => "arn:aws:iam::${var.account_id}:role/${role.name}" }
  failover_trigger_role_arns = { for r, role in aws_iam_role.failover_trigger : r => "arn:aws:iam::${var.account_id}:role/${role.name}" }
}
