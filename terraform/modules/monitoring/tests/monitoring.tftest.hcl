mock_provider "aws" {
  mock_resource "aws_sns_topic" {
    defaults = {
      arn = "arn:aws:sns:us-west-2:123456789012:lifeboat-test-alerts"
    }
  }
  mock_resource "aws_cloudwatch_metric_alarm" {
    defaults = {
      arn = "arn:aws:cloudwatch:us-west-2:123456789012:alarm:lifeboat-test-alarm"
    }
  }
  mock_resource "aws_cloudwatch_composite_alarm" {
    defaults = {
      arn = "arn:aws:cloudwatch:us-west-2:123456789012:alarm:lifeboat-test-composite"
    }
  }
}

variables {
  name                      = "lifeboat-test"
  region                    = "us-west-2"
  account_id                = "123456789012"
  key_arn                   = "arn:aws:kms:us-west-2:123456789012:key/one"
  members                   = ["us-east-1", "us-west-2"]
  global_cluster_identifier = "lifeboat-test"
  cluster_identifier        = "lifeboat-test-us-west-2"
  notification_emails       = ["oncall@example.com", "dba@example.com"]
  function_names            = ["lifeboat-test-failover-trigger", "lifeboat-test-health-monitor"]
  dead_letter_queue_name    = "lifeboat-test-dead-letters"
}

run "fault_27_alerts_have_subscribers" {
  command = apply

  assert {
    condition     = toset([for s in aws_sns_topic_subscription.email : "${s.protocol}:${s.endpoint}"]) == toset(["email:oncall@example.com", "email:dba@example.com"])
    error_message = "Every address is subscribed."
  }

  assert {
    condition     = aws_sns_topic.alerts.name == "lifeboat-test-alerts" && aws_sns_topic.alerts.kms_master_key_id == var.key_arn
    error_message = "The topic is encrypted by the Region's own key."
  }

  assert {
    condition = { for s in jsondecode(aws_sns_topic_policy.alerts.policy).Statement : s.Sid => s if s.Effect == "Allow" } == {
      AlarmsPublish = {
        Sid       = "AlarmsPublish"
        Effect    = "Allow"
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.alerts.arn
        Condition = {
          StringEquals = { "aws:SourceAccount" = "123456789012" }
          ArnLike      = { "aws:SourceArn" = "arn:aws:cloudwatch:us-west-2:123456789012:alarm:lifeboat-test-*" }
        }
      }
    }
    error_message = "Only this deployment's alarms publish."
  }

  assert {
    condition     = alltrue([for s in jsondecode(aws_sns_topic_policy.alerts.policy).Statement : s.Principal != "*" || s.Effect == "Deny"])
    error_message = "No statement allows the principal \"*\"."
  }
}

# The origin alarmed on the lag of the writer's Region, which has none.
run "fault_6_lag_where_the_metric_is" {
  command = apply

  assert {
    condition = alltrue([
      for alarm in [aws_cloudwatch_metric_alarm.lag[0], aws_cloudwatch_metric_alarm.lag_silent[0]] :
      alarm.namespace == "AWS/RDS" &&
      alarm.metric_name == "AuroraGlobalDBRPOLag" &&
      alarm.dimensions == tomap({ DBClusterIdentifier = "lifeboat-test-us-west-2" })
    ])
    error_message = "Each Region alarms on the lag of its own cluster."
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.lag[0].threshold == 500 &&
      aws_cloudwatch_metric_alarm.lag[0].comparison_operator == "GreaterThanThreshold" &&
      aws_cloudwatch_metric_alarm.lag[0].treat_missing_data == "notBreaching" &&
      aws_cloudwatch_metric_alarm.lag[0].alarm_actions == toset([aws_sns_topic.alerts.arn])
    )
    error_message = "Too much lag pages; no lag, in the writer's Region, does not."
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.lag_silent[0].statistic == "SampleCount" &&
      aws_cloudwatch_metric_alarm.lag_silent[0].treat_missing_data == "breaching" &&
      length(coalesce(aws_cloudwatch_metric_alarm.lag_silent[0].alarm_actions, [])) == 0
    )
    error_message = "Silence is seen, and pages by the composite alarm only."
  }

  assert {
    condition = (
      aws_cloudwatch_composite_alarm.lag_unmeasured[0].alarm_rule == "ALARM(\"lifeboat-test-lag-silent\") AND ALARM(\"lifeboat-test-role-us-west-2\")" &&
      aws_cloudwatch_composite_alarm.lag_unmeasured[0].alarm_actions == toset([aws_sns_topic.alerts.arn])
    )
    error_message = "No lag while the writer is elsewhere pages: notBreaching must hide nothing."
  }
}

# The origin's dimensions and fields were invented; these are the code's.
run "fault_7_real_metrics_and_dimensions" {
  command = apply

  assert {
    condition = alltrue([
      for member in var.members :
      aws_cloudwatch_metric_alarm.role[member].namespace == "Lifeboat" &&
      aws_cloudwatch_metric_alarm.role[member].metric_name == "WriterHere" &&
      aws_cloudwatch_metric_alarm.role[member].dimensions == tomap({ Region = member, GlobalCluster = "lifeboat-test" })
    ])
    error_message = "The role alarms read what cloudwatch.Role publishes."
  }

  assert {
    condition = alltrue([
      for alarm in aws_cloudwatch_metric_alarm.role :
      alarm.comparison_operator == "LessThanThreshold" &&
      alarm.threshold == 1 &&
      alarm.statistic == "Minimum" &&
      alarm.period == 60 &&
      alarm.evaluation_periods == 1 &&
      alarm.treat_missing_data == "missing" &&
      length(coalesce(alarm.alarm_actions, [])) == 0
    ])
    error_message = "A role alarm is in alarm while the writer is not there, keeps its state without data, and has no action: README.md of module dns builds on it."
  }

  assert {
    condition     = output.role_alarm_names == { "us-east-1" = "lifeboat-test-role-us-east-1", "us-west-2" = "lifeboat-test-role-us-west-2" }
    error_message = "role_alarm_names names this Region's alarm about each member."
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.operator[0].metric_name == "ExecutionsOperator" &&
      aws_cloudwatch_metric_alarm.operator[0].dimensions == tomap({ Region = "us-west-2", GlobalCluster = "lifeboat-test" })
    )
    error_message = "The operator alarm reads what cloudwatch.Events counts."
  }
}

run "fault_10_the_watcher_is_watched" {
  command = apply

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.monitor["monitor-silent"].namespace == "Lifeboat" &&
      aws_cloudwatch_metric_alarm.monitor["monitor-silent"].metric_name == "MonitorHeartbeats" &&
      aws_cloudwatch_metric_alarm.monitor["monitor-silent"].statistic == "Sum" &&
      aws_cloudwatch_metric_alarm.monitor["monitor-silent"].dimensions == tomap({ Region = "us-west-2", GlobalCluster = "lifeboat-test" }) &&
      aws_cloudwatch_metric_alarm.monitor["monitor-silent"].comparison_operator == "LessThanThreshold" &&
      aws_cloudwatch_metric_alarm.monitor["monitor-silent"].threshold == 1 &&
      aws_cloudwatch_metric_alarm.monitor["monitor-silent"].evaluation_periods == 3 &&
      aws_cloudwatch_metric_alarm.monitor["monitor-silent"].treat_missing_data == "breaching" &&
      aws_cloudwatch_metric_alarm.monitor["monitor-silent"].alarm_actions == toset([aws_sns_topic.alerts.arn])
    )
    error_message = "A monitor that is silent, or whose reports no Region can read, pages."
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.monitor["monitor-gap"].metric_name == "MonitorGap" &&
      aws_cloudwatch_metric_alarm.monitor["monitor-gap"].statistic == "Maximum" &&
      aws_cloudwatch_metric_alarm.monitor["monitor-gap"].threshold == 4000 &&
      aws_cloudwatch_metric_alarm.monitor["monitor-gap"].comparison_operator == "GreaterThanThreshold" &&
      aws_cloudwatch_metric_alarm.monitor["monitor-gap"].treat_missing_data == "notBreaching"
    )
    error_message = "More than 4 s without a monitor pages."
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.monitor["no-commit"].metric_name == "SinceCommit" &&
      aws_cloudwatch_metric_alarm.monitor["no-commit"].statistic == "Maximum" &&
      aws_cloudwatch_metric_alarm.monitor["no-commit"].threshold == 15000 &&
      aws_cloudwatch_metric_alarm.monitor["no-commit"].comparison_operator == "GreaterThanThreshold" &&
      aws_cloudwatch_metric_alarm.monitor["no-commit"].alarm_actions == toset([aws_sns_topic.alerts.arn])
    )
    error_message = "A writer that commits nothing for 15 s pages."
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.monitor["lease-stale"].metric_name == "LeaseAge" &&
      aws_cloudwatch_metric_alarm.monitor["lease-stale"].threshold == 60000 &&
      aws_cloudwatch_metric_alarm.monitor["lease-stale"].alarm_actions == toset([aws_sns_topic.alerts.arn])
    )
    error_message = "A lease that no monitor renews pages."
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.role_silent[0].metric_name == "WriterHere" &&
      aws_cloudwatch_metric_alarm.role_silent[0].statistic == "SampleCount" &&
      aws_cloudwatch_metric_alarm.role_silent[0].dimensions == tomap({ Region = "us-west-2", GlobalCluster = "lifeboat-test" }) &&
      aws_cloudwatch_metric_alarm.role_silent[0].threshold == 1 &&
      aws_cloudwatch_metric_alarm.role_silent[0].treat_missing_data == "breaching"
    )
    error_message = "A Region that doesn't say where the writer is pages."
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.lag_unread[0].metric_name == "RPOLagAge" &&
      aws_cloudwatch_metric_alarm.lag_unread[0].statistic == "Minimum" &&
      aws_cloudwatch_metric_alarm.lag_unread[0].treat_missing_data == "notBreaching"
    )
    error_message = "A lag that is not read pages, where there is one."
  }

  assert {
    condition = alltrue([
      for a in concat(values(aws_cloudwatch_metric_alarm.function), values(aws_cloudwatch_metric_alarm.monitor)) : length(a.alarm_description) > 100 && length(a.alarm_description) <= 1024
    ])
    error_message = "A description says what to do, in the 1024 characters that CloudWatch takes."
  }

  assert {
    condition = toset([for a in aws_cloudwatch_metric_alarm.function : "${a.metric_name} ${a.dimensions["FunctionName"]}"]) == toset([
      "Errors lifeboat-test-failover-trigger",
      "Errors lifeboat-test-health-monitor",
      "Throttles lifeboat-test-failover-trigger",
      "Throttles lifeboat-test-health-monitor",
    ])
    error_message = "Errors and throttles of each function page."
  }

  assert {
    condition = alltrue([
      for a in aws_cloudwatch_metric_alarm.function : a.period == 60 && a.evaluation_periods == 1 && a.threshold == 1 && a.comparison_operator == "GreaterThanOrEqualToThreshold"
    ])
    error_message = "One error or throttle in a minute pages: a throttle of the trigger locks a person out."
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.dead_letters.dimensions == tomap({ QueueName = "lifeboat-test-dead-letters" }) &&
      aws_cloudwatch_metric_alarm.dead_letters.threshold == 0 &&
      aws_cloudwatch_metric_alarm.dead_letters.comparison_operator == "GreaterThanThreshold"
    )
    error_message = "One dead letter pages."
  }
}

run "load_pages_and_silence_of_the_cluster_too" {
  command = apply

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.cpu[0].metric_name == "CPUUtilization" &&
      aws_cloudwatch_metric_alarm.cpu[0].threshold == 80 &&
      aws_cloudwatch_metric_alarm.cpu[0].statistic == "Maximum" &&
      aws_cloudwatch_metric_alarm.cpu[0].insufficient_data_actions == toset([aws_sns_topic.alerts.arn])
    )
    error_message = "The busiest instance above 80 %, or none at all."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.connections[0].metric_name == "DatabaseConnections" && aws_cloudwatch_metric_alarm.connections[0].threshold == 100
    error_message = "More than 100 connections."
  }
}

# Nothing of what pages starts a failover (the origin's secondary was "unhealthy" when busy).
run "fault_11_load_starts_no_failover" {
  command = apply

  assert {
    condition = alltrue([
      for alarm in concat(
        [aws_cloudwatch_metric_alarm.lag[0], aws_cloudwatch_metric_alarm.cpu[0], aws_cloudwatch_metric_alarm.connections[0], aws_cloudwatch_metric_alarm.role_silent[0], aws_cloudwatch_metric_alarm.lag_unread[0]],
        values(aws_cloudwatch_metric_alarm.function), values(aws_cloudwatch_metric_alarm.monitor),
      ) : alarm.alarm_actions == toset([aws_sns_topic.alerts.arn])
    ])
    error_message = "Alarms act on the topic and on nothing else."
  }
}

run "outputs" {
  command = apply

  assert {
    condition = keys(output.alarm_arns) == [
      "connections", "cpu", "dead_letters", "failover-trigger-errors", "failover-trigger-throttles",
      "health-monitor-errors", "health-monitor-throttles", "lag", "lag_unmeasured", "lag_unread", "lease_stale", "monitor_gap", "monitor_silent", "no_commit", "operator", "role_silent",
    ]
    error_message = "alarm_arns holds every alarm that pages."
  }

  assert {
    condition     = output.dashboard_name == "lifeboat-test-us-west-2" && length(jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets) == 7
    error_message = "The dashboard is named by the Region and shows all seven."
  }

  assert {
    condition     = alltrue([for w in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : w.properties.region == "us-west-2"])
    error_message = "The dashboard needs nothing of the other Region."
  }
}

run "witness" {
  command = apply

  variables {
    region             = "us-east-2"
    key_arn            = "arn:aws:kms:us-east-2:123456789012:key/one"
    cluster_identifier = null
    function_names     = ["lifeboat-test-health-monitor"]
  }

  assert {
    condition     = keys(output.alarm_arns) == ["dead_letters", "health-monitor-errors", "health-monitor-throttles", "lease_stale", "monitor_gap", "monitor_silent"] && length(output.role_alarm_names) == 0
    error_message = "The witness watches its monitor only."
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.monitor["monitor-silent"].metric_name == "MonitorHeartbeats" &&
      aws_cloudwatch_metric_alarm.monitor["monitor-silent"].dimensions == tomap({ Region = "us-east-2", GlobalCluster = "lifeboat-test" })
    )
    error_message = "The witness is watched as the members are."
  }
}

run "other_member_is_symmetrical" {
  command = apply

  variables {
    region             = "us-east-1"
    key_arn            = "arn:aws:kms:us-east-1:123456789012:key/one"
    cluster_identifier = "lifeboat-test-us-east-1"
  }

  assert {
    condition     = aws_cloudwatch_composite_alarm.lag_unmeasured[0].alarm_rule == "ALARM(\"lifeboat-test-lag-silent\") AND ALARM(\"lifeboat-test-role-us-east-1\")"
    error_message = "Each Region asks whether the writer is in itself."
  }
}

run "warns_without_subscribers" {
  command = plan
  variables {
    notification_emails = []
  }
  expect_failures = [check.has_subscribers]
}

# Every value below must be refused, each for itself: a run takes as long for one as for ten.
run "wrong_values_1" {
  command = plan

  variables {
    # a bad address
    notification_emails = ["oncall"]
    # a member without cluster
    cluster_identifier = null
    # thresholds out of range
    thresholds = { replication_lag_ms = 0, cpu_percent = 100, connections = 0 }
    # a region without monitor
    function_names = ["lifeboat-test-failover-trigger"]
    # another regions key
    key_arn = "arn:aws:kms:us-east-1:123456789012:key/one"
  }

  expect_failures = [
    var.notification_emails,
    var.cluster_identifier,
    var.thresholds,
    var.function_names,
    var.key_arn,
  ]
}

run "wrong_values_2" {
  command = plan

  variables {
    # a witness with cluster
    region  = "us-east-2"
    key_arn = "arn:aws:kms:us-east-2:123456789012:key/one"
    # bad scalars
    name           = "lifeboat-Test"
    account_id     = "12"
    function_names = ["lifeboat-Test-health-monitor"]
  }

  expect_failures = [var.cluster_identifier, var.name, var.account_id]
}
