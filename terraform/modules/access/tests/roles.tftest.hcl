mock_provider "aws" {
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:us-east-1:123456789012:key/mock" }
  }
}

variables {
  name       = "lifeboat-test"
  account_id = "123456789012"
  members    = ["us-east-1", "us-west-2"]
  witness    = "us-east-2"
}

run "roles" {
  command = plan

  # Every region gets a monitor and only members a trigger.
  assert {
    condition     = join(" ", sort(keys(aws_iam_role.health_monitor))) == "us-east-1 us-east-2 us-west-2"
    error_message = "The witness watches too."
  }

  assert {
    condition     = join(" ", sort(keys(aws_iam_role.failover_trigger))) == "us-east-1 us-west-2"
    error_message = "The witness may never move the writer."
  }

  assert {
    condition     = aws_iam_role.failover_trigger["us-west-2"].name == "lifeboat-test-failover-trigger-us-west-2"
    error_message = "Roles are named after their Region."
  }

  # Only the trigger moves the writer.
  assert {
    condition = join(" ", one([
      for s in jsondecode(aws_iam_role_policy.failover_trigger["us-west-2"].policy).Statement : s.Resource if s.Sid == "MoveWriter"
      ])) == join(" ", [
      "arn:aws:rds::123456789012:global-cluster:lifeboat-test",
      "arn:aws:rds:us-east-1:123456789012:cluster:lifeboat-test-us-east-1",
      "arn:aws:rds:us-west-2:123456789012:cluster:lifeboat-test-us-west-2",
    ])
    error_message = "RDS wants the global cluster, whose ARN has no Region, and both members."
  }

  assert {
    condition = alltrue([
      for p in aws_iam_role_policy.health_monitor : !strcontains(p.policy, "FailoverGlobalCluster") && !strcontains(p.policy, "SwitchoverGlobalCluster")
    ])
    error_message = "The origin gave its monitor the right to fail over; ours may only look and fence."
  }

  # Only the monitor renews.
  assert {
    condition = alltrue([
      for r in ["us-east-1", "us-west-2"] :
      strcontains(aws_iam_role_policy.health_monitor[r].policy, "dynamodb:UpdateItem") &&
      !strcontains(aws_iam_role_policy.failover_trigger[r].policy, "dynamodb:UpdateItem")
    ])
    error_message = "pkg/dr/failover: the guard renews the lease, the controller moves the writer."
  }

  # A monitor fences its own region only.
  assert {
    condition = alltrue([
      for r in ["us-east-1", "us-west-2"] : one([
        for s in jsondecode(aws_iam_role_policy.health_monitor[r].policy).Statement : s if s.Sid == "RestartOwnInstances"
      ]).Resource == "arn:aws:rds:${r}:123456789012:db:lifeboat-test-${r}-*"
    ])
    error_message = "A monitor restarts servers of its own Region and of no other."
  }

  # A monitor asks the trigger of its own region only.
  assert {
    condition = alltrue([
      for r in ["us-east-1", "us-west-2"] : one([
        for s in jsondecode(aws_iam_role_policy.health_monitor[r].policy).Statement : s if s.Sid == "AskOwnTrigger"
      ]) == { Sid = "AskOwnTrigger", Effect = "Allow", Action = "lambda:InvokeFunction", Resource = "arn:aws:lambda:${r}:123456789012:function:lifeboat-test-failover-trigger" }
    ])
    error_message = "A monitor invokes the trigger of its own Region and nothing else."
  }

  assert {
    condition = alltrue([
      for p in concat([aws_iam_role_policy.health_monitor["us-east-2"]], values(aws_iam_role_policy.failover_trigger)) : !strcontains(p.policy, "lambda:InvokeFunction")
    ])
    error_message = "Neither the witness nor a trigger invokes anything."
  }

  # Two logins: what fences is not what probes.
  assert {
    condition = alltrue([
      for r in ["us-east-1", "us-west-2"] :
      toset([for s in jsondecode(aws_iam_role_policy.health_monitor[r].policy).Statement : s.Resource if s.Action == "secretsmanager:GetSecretValue"]) == toset([
        "arn:aws:secretsmanager:${r}:123456789012:secret:lifeboat-test-functions-??????",
        "arn:aws:secretsmanager:${r}:123456789012:secret:lifeboat-test-master-??????",
      ]) &&
      toset([for s in jsondecode(aws_iam_role_policy.failover_trigger[r].policy).Statement : s.Resource if s.Action == "secretsmanager:GetSecretValue"]) == toset([
        "arn:aws:secretsmanager:${r}:123456789012:secret:lifeboat-test-functions-??????",
      ])
    ])
    error_message = "The monitor reads both logins of its Region, the trigger the functions' only."
  }

  assert {
    condition     = !strcontains(aws_iam_role_policy.health_monitor["us-east-2"].policy, "RebootDBInstance")
    error_message = "The witness has no servers to restart."
  }

  # The witness reads the members replicas.
  assert {
    condition = join(" ", one([
      for s in jsondecode(aws_iam_role_policy.health_monitor["us-east-2"].policy).Statement : s.Resource if s.Sid == "ReadLeaseAndReport"
      ])) == join(" ", [
      "arn:aws:dynamodb:us-east-1:123456789012:table/lifeboat-test-lease",
      "arn:aws:dynamodb:us-west-2:123456789012:table/lifeboat-test-lease",
    ])
    error_message = "The witness Region holds no replica that could be read."
  }

  # So do the members' functions, and they act in no other table.
  assert {
    condition = alltrue(flatten([
      for p in concat([for r in ["us-east-1", "us-west-2"] : aws_iam_role_policy.health_monitor[r]], values(aws_iam_role_policy.failover_trigger)) : [
        for s in jsondecode(p.policy).Statement : join(" ", s.Resource) == join(" ", [
          "arn:aws:dynamodb:us-east-1:123456789012:table/lifeboat-test-lease",
          "arn:aws:dynamodb:us-west-2:123456789012:table/lifeboat-test-lease",
        ]) if strcontains(jsonencode(s), "dynamodb:")
      ]
    ]))
    error_message = "A member whose own DynamoDB refuses goes on through the other member's replica."
  }

  assert {
    condition     = !can(regex("UpdateItem|GetSecretValue|PutMetricData|ec2:", aws_iam_role_policy.health_monitor["us-east-2"].policy))
    error_message = "The witness neither renews the lease nor publishes roles nor logs in to a database nor stands in a VPC."
  }

  # No role needs a control plane of us east 1.
  assert {
    condition = alltrue([
      for p in concat(values(aws_iam_role_policy.health_monitor), values(aws_iam_role_policy.failover_trigger)) :
      !can(regex("\"(route53|route53domains|iam|sts|organizations|s3|kms):", p.policy))
    ])
    error_message = "A function's role has an action of Route 53, IAM, STS, S3 or KMS."
  }

  # Nothing stands on a star that could be bound.
  # What is left on "*" knows no resource at all: the list is the waiver.
  assert {
    condition = alltrue(flatten([
      for p in concat(values(aws_iam_role_policy.health_monitor), values(aws_iam_role_policy.failover_trigger)) : [
        for s in jsondecode(p.policy).Statement : [
          for a in flatten([s.Action]) : contains([
            "cloudwatch:GetMetricData", "cloudwatch:PutMetricData",
            "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets",
            "xray:PutTelemetryRecords", "xray:PutTraceSegments",
          ], a)
        ] if s.Effect == "Allow" && contains(flatten([s.Resource]), "*")
      ]
    ]))
    error_message = "An action that could name its resource is allowed on *."
  }

  assert {
    condition = alltrue(flatten([
      for p in concat(values(aws_iam_role_policy.health_monitor), values(aws_iam_role_policy.failover_trigger)) : [
        for s in jsondecode(p.policy).Statement : s.Condition.StringEquals["cloudwatch:namespace"] == "Lifeboat" if s.Sid == "PublishMetrics"
      ]
    ]))
    error_message = "Metrics may go to the namespace Lifeboat only."
  }

  # Every statement says its purpose once.
  assert {
    condition = alltrue([
      for p in concat(values(aws_iam_role_policy.health_monitor), values(aws_iam_role_policy.failover_trigger)) :
      length(distinct(jsondecode(p.policy).Statement[*].Sid)) == length(jsondecode(p.policy).Statement)
    ])
    error_message = "IAM refuses a policy in which two statements share a Sid."
  }

  # IAM: 10,240 characters for all inline policies of a role.
  assert {
    condition = alltrue([
      for p in concat(values(aws_iam_role_policy.health_monitor), values(aws_iam_role_policy.failover_trigger)) : length(p.policy) < 10240
    ])
    error_message = "A policy is longer than IAM takes."
  }

  # Service roles trust this account only.
  assert {
    condition = alltrue([
      for role in [aws_iam_role.rds_monitoring, aws_iam_role.flow_logs] :
      jsondecode(role.assume_role_policy).Statement[0].Condition.StringEquals["aws:SourceAccount"] == "123456789012" &&
      length(jsondecode(role.assume_role_policy).Statement[0].Condition.ArnLike["aws:SourceArn"]) == 2
    ])
    error_message = "The trust of a service's role lacks the account or the source."
  }

  # Role arns are known before the roles are.
  assert {
    condition     = output.failover_trigger_role_arns["us-east-1"] == "arn:aws:iam::123456789012:role/lifeboat-test-failover-trigger-us-east-1"
    error_message = "A plan must show whom a key policy admits."
  }
}

run "the_order_of_the_members_means_nothing" {
  command = plan

  variables { members = ["us-west-2", "us-east-1"] }

  assert {
    condition = alltrue([
      for p in concat(values(aws_iam_role_policy.health_monitor), values(aws_iam_role_policy.failover_trigger)) : !can(regex("us-west-2:[^]]*us-east-1:", p.policy))
    ])
    error_message = "Naming the members in another order changes a policy."
  }
}

run "without_a_witness" {
  command = apply

  variables { witness = null }

  assert {
    condition     = join(" ", keys(output.key_arns)) == "us-east-1 us-west-2" && join(" ", keys(output.health_monitor_role_arns)) == "us-east-1 us-west-2"
    error_message = "Without a witness there are two keys and two monitors."
  }
}
