# Statements that more than one role has, one per purpose. No role of a function holds
# a Route 53, IAM or STS action: their control planes stand in us-east-1 (AWS Fault
# Isolation Boundaries, global services), and recovery must not need it.
locals {
  # A process that gathers evidence asks both Regions: a member's report about the other
  # member alone proves nothing.
  observe_statements = [
    {
      Sid      = "DescribeMembers"
      Effect   = "Allow"
      Action   = "rds:DescribeDBClusters"
      Resource = values(local.cluster_arns)
    },
    {
      # Asked for by cluster, not by name, which RDS checks against every instance of
      # the Region.
      Sid      = "ListInstances"
      Effect   = "Allow"
      Action   = "rds:DescribeDBInstances"
      Resource = [for r in local.members : "arn:aws:rds:${r}:${var.account_id}:db:*"]
    },
  ]

  # What every function needs, by Region.
  shared_statements = {
    for r in local.regions : r => [
      {
        Sid      = "NotifyPeople"
        Effect   = "Allow"
        Action   = "sns:Publish"
        Resource = local.topic_arns[r]
      },
      {
        # Done by Lambda for an event that failed for good.
        Sid      = "KeepFailedEvents"
        Effect   = "Allow"
        Action   = "sqs:SendMessage"
        Resource = local.queue_arns[r]
      },
      {
        # X-Ray knows no resource for writing traces.
        Sid      = "WriteTraces"
        Effect   = "Allow"
        Action   = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
        Resource = "*"
      },
    ]
  }

  # What every function in a member Region needs besides, by Region.
  member_statements = {
    for r in local.members : r => [
      {
        # Who has the writer: before the first lease is taken and before one is moved.
        Sid      = "DescribeGlobalCluster"
        Effect   = "Allow"
        Action   = "rds:DescribeGlobalClusters"
        Resource = local.global_cluster_arn
      },
      {
        # PutMetricData knows no resource; the namespace is its only bound.
        Sid       = "PublishMetrics"
        Effect    = "Allow"
        Action    = "cloudwatch:PutMetricData"
        Resource  = "*"
        Condition = { StringEquals = { "cloudwatch:namespace" = local.metric_namespace } }
      },
      {
        # The functions' own user, which the fence binds.
        Sid      = "ReadFunctionsLogin"
        Effect   = "Allow"
        Action   = "secretsmanager:GetSecretValue"
        Resource = local.functions_secret_arns[r]
      },
    ]
  }

  # What Lambda does with the role of a function in a VPC: AWS's managed policy
  # AWSLambdaVPCAccessExecutionRole, bound to account and Region and without its logs.
  network_statements = {
    for r in local.members : r => [
      {
        Sid      = "LambdaManagesInterfaces"
        Effect   = "Allow"
        Action   = local.interface_actions
        Resource = "arn:aws:ec2:${r}:${var.account_id}:*/*"
      },
      {
        # EC2 knows no resource for describing.
        Sid      = "LambdaDescribesNetwork"
        Effect   = "Allow"
        Action   = local.network_describe_actions
        Resource = "*"
      },
    ]
  }

  # The function's own code has the same role and needs none of that (Lambda developer
  # guide, VPC permissions). Each role adds the condition that names its function.
  network_denial = {
    Sid      = "CodeLeavesNetworkAlone"
    Effect   = "Deny"
    Action   = concat(local.interface_actions, local.network_describe_actions)
    Resource = "*"
  }

  interface_actions = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:UnassignPrivateIpAddresses",
  ]
  network_describe_actions = [
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
  ]
}
