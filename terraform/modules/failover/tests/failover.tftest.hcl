# Any file will do as a package: nothing is uploaded.

mock_provider "aws" {
  mock_resource "aws_lambda_function" {
    defaults = {
      arn = "arn:aws:lambda:us-west-2:123456789012:function:lifeboat-test-function"
    }
  }
  mock_resource "aws_sqs_queue" {
    defaults = {
      arn = "arn:aws:sqs:us-west-2:123456789012:lifeboat-test-dead-letters"
      url = "https://sqs.us-west-2.amazonaws.com/123456789012/lifeboat-test-dead-letters"
    }
  }
  mock_resource "aws_cloudwatch_event_rule" {
    defaults = {
      arn = "arn:aws:events:us-west-2:123456789012:rule/lifeboat-test-health-monitor"
    }
  }
}

variables {
  name                      = "lifeboat-test"
  region                    = "us-west-2"
  account_id                = "123456789012"
  members                   = ["us-east-1", "us-west-2"]
  witness                   = "us-east-2"
  key_arn                   = "arn:aws:kms:us-west-2:123456789012:key/one"
  health_monitor_role_arn   = "arn:aws:iam::123456789012:role/lifeboat-test-health-monitor-us-west-2"
  failover_trigger_role_arn = "arn:aws:iam::123456789012:role/lifeboat-test-failover-trigger-us-west-2"
  packages                  = { health_monitor = "versions.tf", failover_trigger = "outputs.tf" }
  network                   = { subnet_ids = ["subnet-1", "subnet-2", "subnet-3"], security_group_ids = ["sg-functions"] }
  global_cluster_identifier = "lifeboat-test"
  lease_table_name          = "lifeboat-test-lease"
  topic_arn                 = "arn:aws:sns:us-west-2:123456789012:lifeboat-test-alerts"
  secret_arn                = "arn:aws:secretsmanager:us-west-2:123456789012:secret:lifeboat-test-functions"
  master_secret_arn         = "arn:aws:secretsmanager:us-west-2:123456789012:secret:lifeboat-test-master"
  database_endpoint         = "lifeboat-test-us-west-2.cluster-abc.us-west-2.rds.amazonaws.com"
  reader_endpoint           = "lifeboat-test-us-west-2.cluster-ro-abc.us-west-2.rds.amazonaws.com"
  writer_endpoint           = "lifeboat-test.global-abc.global.rds.amazonaws.com"
  policy                    = "{\"ProbeInterval\":2000000000}"
}

run "functions" {
  command = apply

  assert {
    condition     = keys(aws_lambda_function.function) == ["failover_trigger", "health_monitor"]
    error_message = "A member Region has both functions, whichever Region has the writer."
  }

  assert {
    condition = alltrue([
      for what, f in aws_lambda_function.function :
      f.function_name == "lifeboat-test-${replace(what, "_", "-")}" &&
      f.runtime == "provided.al2023" &&
      f.handler == "bootstrap" &&
      f.architectures == tolist(["arm64"]) &&
      f.timeout == 900 &&
      f.kms_key_arn == var.key_arn &&
      one(f.tracing_config).mode == "Active" &&
      one(f.dead_letter_config).target_arn == aws_sqs_queue.dead_letters.arn &&
      one(f.logging_config).log_group == "/aws/lambda/${f.function_name}" &&
      one(f.logging_config).log_format == "Text" &&
      one(f.vpc_config).subnet_ids == toset(var.network.subnet_ids) &&
      one(f.vpc_config).security_group_ids == toset(var.network.security_group_ids)
    ])
    error_message = "Each function is traced, encrypted, in the VPC, with its own log group and a dead-letter queue."
  }

  assert {
    condition = (
      aws_lambda_function.function["health_monitor"].reserved_concurrent_executions == 2 &&
      aws_lambda_function.function["failover_trigger"].reserved_concurrent_executions == 8
    )
    error_message = "The monitor's loop hands over between two runs; the trigger runs once."
  }

  assert {
    condition = (
      aws_lambda_function.function["health_monitor"].role == var.health_monitor_role_arn &&
      aws_lambda_function.function["failover_trigger"].role == var.failover_trigger_role_arn
    )
    error_message = "Each function has its own role."
  }

  assert {
    condition = (
      aws_lambda_function.function["health_monitor"].source_code_hash == filebase64sha256("versions.tf") &&
      aws_lambda_function.function["failover_trigger"].source_code_hash == filebase64sha256("outputs.tf")
    )
    error_message = "The plan pins the hash of each package."
  }

  assert {
    condition = one(aws_lambda_function.function["failover_trigger"].environment).variables == tomap({
      LIFEBOAT_GLOBAL_CLUSTER = "lifeboat-test"
      LIFEBOAT_MEMBERS        = "us-east-1,us-west-2"
      LIFEBOAT_WITNESS        = "us-east-2"
      LIFEBOAT_LEASE_TABLE    = "lifeboat-test-lease"
      LIFEBOAT_TOPIC_ARN      = var.topic_arn
      LIFEBOAT_SECRET_ARN     = var.secret_arn
      LIFEBOAT_DATABASES      = "us-west-2=lifeboat-test-us-west-2.cluster-abc.us-west-2.rds.amazonaws.com:3306"
      LIFEBOAT_READERS        = "us-west-2=lifeboat-test-us-west-2.cluster-ro-abc.us-west-2.rds.amazonaws.com:3306"
      LIFEBOAT_ENDPOINT       = "lifeboat-test.global-abc.global.rds.amazonaws.com:3306"
      LIFEBOAT_POLICY         = "{\"ProbeInterval\":2000000000}"
    })
    error_message = "The environment says where everything is, and holds no secret."
  }

  assert {
    condition = (
      one(aws_lambda_function.function["health_monitor"].environment).variables["LIFEBOAT_ADMIN_SECRET_ARN"] == var.master_secret_arn &&
      one(aws_lambda_function.function["health_monitor"].environment).variables["LIFEBOAT_SECRET_ARN"] == var.secret_arn &&
      one(aws_lambda_function.function["health_monitor"].environment).variables["LIFEBOAT_DATABASES"] == "us-west-2=${var.database_endpoint}:3306" &&
      !contains(keys(one(aws_lambda_function.function["health_monitor"].environment).variables), "LIFEBOAT_ENDPOINT")
    )
    error_message = "Only the monitor fences, so only it is told of the master login; only the trigger proves a move."
  }

  assert {
    condition = (
      aws_lambda_function_event_invoke_config.function["health_monitor"].maximum_retry_attempts == 0 &&
      aws_lambda_function_event_invoke_config.function["health_monitor"].maximum_event_age_in_seconds == 60 &&
      aws_lambda_function_event_invoke_config.function["failover_trigger"].maximum_retry_attempts == 2 &&
      aws_lambda_function_event_invoke_config.function["failover_trigger"].maximum_event_age_in_seconds > 900 &&
      aws_lambda_function_event_invoke_config.function["failover_trigger"].maximum_event_age_in_seconds < 1800
    )
    error_message = "A stale tick is dropped; a trigger is retried, and waits longer than one run may take but not than two."
  }

  assert {
    condition = alltrue([
      for group in aws_cloudwatch_log_group.function : group.retention_in_days == 365 && group.kms_key_id == var.key_arn
    ])
    error_message = "Logs are encrypted and kept for a year."
  }
}

run "fault_2_the_trigger_is_wired" {
  command = apply

  assert {
    condition     = contains(aws_cloudwatch_metric_alarm.impaired[0].alarm_actions, output.function_arns["failover_trigger"])
    error_message = "The impairment alarm invokes the trigger."
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.impaired[0].namespace == one(aws_cloudwatch_log_metric_filter.impaired[0].metric_transformation).namespace &&
      aws_cloudwatch_metric_alarm.impaired[0].metric_name == one(aws_cloudwatch_log_metric_filter.impaired[0].metric_transformation).name &&
      keys(aws_cloudwatch_metric_alarm.impaired[0].dimensions) == keys(one(aws_cloudwatch_log_metric_filter.impaired[0].metric_transformation).dimensions) &&
      aws_cloudwatch_metric_alarm.impaired[0].dimensions["Region"] == "us-west-2" &&
      aws_cloudwatch_metric_alarm.impaired[0].treat_missing_data == "notBreaching"
    )
    error_message = "The alarm watches the metric that the filter makes, in this Region."
  }

  assert {
    condition = (
      aws_cloudwatch_log_metric_filter.impaired[0].log_group_name == "/aws/lambda/lifeboat-test-health-monitor" &&
      aws_cloudwatch_log_metric_filter.impaired[0].pattern == "{ ($.VerdictChanges = 1) && ($.State = \"Impaired\") && ($.Subject != \"us-west-2\") }"
    )
    error_message = "The filter reads the monitor's verdicts about the other Region."
  }

  assert {
    condition = (
      aws_lambda_permission.impaired[0].principal == "lambda.alarms.cloudwatch.amazonaws.com" &&
      aws_lambda_permission.impaired[0].source_account == "123456789012" &&
      aws_lambda_permission.impaired[0].source_arn == "arn:aws:cloudwatch:us-west-2:123456789012:alarm:${aws_cloudwatch_metric_alarm.impaired[0].alarm_name}" &&
      aws_lambda_permission.impaired[0].function_name == "lifeboat-test-failover-trigger"
    )
    error_message = "Exactly this alarm of this account may invoke the trigger."
  }

  assert {
    condition = (
      aws_cloudwatch_event_rule.tick.schedule_expression == "rate(1 minute)" &&
      aws_cloudwatch_event_target.tick.arn == output.function_arns["health_monitor"] &&
      aws_lambda_permission.tick.principal == "events.amazonaws.com" &&
      aws_lambda_permission.tick.source_arn == aws_cloudwatch_event_rule.tick.arn &&
      aws_lambda_permission.tick.function_name == "lifeboat-test-health-monitor"
    )
    error_message = "The minute tick, and nothing else, starts the monitor."
  }
}

run "dead_letters" {
  command = apply

  assert {
    condition     = aws_sqs_queue.dead_letters.kms_master_key_id == var.key_arn && aws_sqs_queue.dead_letters.message_retention_seconds == 1209600
    error_message = "Dead letters are encrypted by the Region's key and kept as long as SQS can."
  }

  assert {
    condition     = jsondecode(aws_sqs_queue_redrive_allow_policy.dead_letters.redrive_allow_policy).redrivePermission == "denyAll"
    error_message = "No other queue drops its dead letters here."
  }

  assert {
    condition = { for s in jsondecode(aws_sqs_queue_policy.dead_letters.policy).Statement : s.Sid => s if s.Effect == "Allow" } == {
      FunctionsSend = {
        Sid       = "FunctionsSend"
        Effect    = "Allow"
        Principal = { AWS = [var.health_monitor_role_arn, var.failover_trigger_role_arn] }
        Action    = "sqs:SendMessage"
        Resource  = aws_sqs_queue.dead_letters.arn
      }
      ScheduleSends = {
        Sid       = "ScheduleSends"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = aws_sqs_queue.dead_letters.arn
        Condition = { ArnEquals = { "aws:SourceArn" = aws_cloudwatch_event_rule.tick.arn } }
      }
    }
    error_message = "Only the two roles and this rule may send."
  }
}

run "fault_3_the_trigger_is_in_both_regions" {
  command = plan

  variables {
    region     = "us-east-1"
    key_arn    = "arn:aws:kms:us-east-1:123456789012:key/one"
    topic_arn  = "arn:aws:sns:us-east-1:123456789012:lifeboat-test-alerts"
    secret_arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:lifeboat-test-functions"

    master_secret_arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:lifeboat-test-master"
  }

  assert {
    condition     = keys(aws_lambda_function.function) == ["failover_trigger", "health_monitor"]
    error_message = "Every member Region has its trigger."
  }
}

run "witness" {
  command = apply

  variables {
    region                    = "us-east-2"
    key_arn                   = "arn:aws:kms:us-east-2:123456789012:key/one"
    topic_arn                 = "arn:aws:sns:us-east-2:123456789012:lifeboat-test-alerts"
    failover_trigger_role_arn = null
    packages                  = { health_monitor = "versions.tf" }
    network                   = null
    secret_arn                = null
    master_secret_arn         = null
    database_endpoint         = null
    reader_endpoint           = null
    writer_endpoint           = null
  }

  assert {
    condition     = keys(output.function_names) == ["health_monitor"] && length(aws_cloudwatch_metric_alarm.impaired) == 0 && length(aws_lambda_permission.impaired) == 0
    error_message = "The witness watches and never moves the writer."
  }

  assert {
    condition     = length(aws_lambda_function.function["health_monitor"].vpc_config) == 0
    error_message = "The witness has no VPC."
  }

  assert {
    condition = toset(keys(one(aws_lambda_function.function["health_monitor"].environment).variables)) == toset([
      "LIFEBOAT_GLOBAL_CLUSTER", "LIFEBOAT_LEASE_TABLE", "LIFEBOAT_MEMBERS", "LIFEBOAT_POLICY", "LIFEBOAT_TOPIC_ARN", "LIFEBOAT_WITNESS",
    ])
    error_message = "The witness gets no secret and no database."
  }
}

run "without_a_witness" {
  command = plan

  variables {
    witness = null
  }

  assert {
    condition     = !contains(keys(one(aws_lambda_function.function["health_monitor"].environment).variables), "LIFEBOAT_WITNESS")
    error_message = "No witness is no variable, not an empty one."
  }
}

run "refuses_a_missing_package" {
  command = plan
  variables {
    packages = { health_monitor = "nowhere.zip", failover_trigger = "outputs.tf" }
  }
  expect_failures = [aws_lambda_function.function["health_monitor"]]
}

# Every value below must be refused, each for itself: a run takes as long for one as for ten.
run "wrong_values" {
  command = plan

  variables {
    # a member without network
    network = null
    # a member without trigger
    packages                  = { health_monitor = "versions.tf" }
    failover_trigger_role_arn = null
    # what another Region holds, out of reach with it: key, topic, secret
    key_arn    = "arn:aws:kms:us-east-1:123456789012:key/one"
    topic_arn  = "arn:aws:sns:us-east-1:123456789012:lifeboat-test-alerts"
    secret_arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:lifeboat-test-functions"
    # ports, and none at all
    database_endpoint = "lifeboat-test-us-west-2.cluster-abc.us-west-2.rds.amazonaws.com:3306"
    reader_endpoint   = "lifeboat-test-us-west-2.cluster-ro-abc.us-west-2.rds.amazonaws.com:3306"
    writer_endpoint   = null
    # a policy that is no object
    policy = "[1, 2]"
    # bad scalars
    name               = "lifeboat-"
    account_id         = "1234"
    architecture       = "riscv"
    log_retention_days = 366
    lease_table_name   = "a"
  }

  expect_failures = [
    var.network,
    var.packages,
    var.failover_trigger_role_arn,
    var.key_arn,
    var.topic_arn,
    var.secret_arn,
    var.database_endpoint,
    var.reader_endpoint,
    var.writer_endpoint,
    var.policy,
    var.name,
    var.account_id,
    var.architecture,
    var.log_retention_days,
    var.lease_table_name,
  ]
}

run "refuses_the_master_login_of_another_region" {
  command = plan

  variables {
    master_secret_arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:lifeboat-test-master"
  }

  expect_failures = [var.master_secret_arn]
}

run "refuses_one_login_for_both" {
  command = plan

  variables {
    master_secret_arn = "arn:aws:secretsmanager:us-west-2:123456789012:secret:lifeboat-test-functions"
  }

  expect_failures = [var.master_secret_arn]
}

run "refuses_one_subnet" {
  command = plan

  variables {
    network = { subnet_ids = ["subnet-1"], security_group_ids = ["sg-functions"] }
  }

  expect_failures = [var.network]
}

run "refuses_a_witness_that_is_a_member" {
  command = plan

  variables {
    witness = "us-west-2"
  }

  expect_failures = [var.witness]
}

run "refuses_a_foreign_region" {
  command = plan

  variables {
    region  = "eu-west-1"
    key_arn = "arn:aws:kms:eu-west-1:123456789012:key/one"
  }

  expect_failures = [var.region]
}
