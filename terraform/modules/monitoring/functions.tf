# Who watches the watcher. What the functions say of themselves are lines of their logs
# (pkg/dr/cloudwatch, Events), with the same dimensions in every Region.
locals {
  # One alarm for each function and kind of failure.
  failures = {
    for pair in setproduct(var.function_names, ["Errors", "Throttles"]) :
    "${pair[0]}-${lower(pair[1])}" => { function = pair[0], metric = pair[1], to_do = lookup(local.to_do, "${trimprefix(pair[0], "${var.name}-")} ${pair[1]}", "Read its log.")
    }
  }

  to_do = {
    "health-monitor Errors"      = "Read its log. One that runs out of time or ends is replaced by the next tick; if every tick fails, no monitor runs in this Region and its lease expires."
    "health-monitor Throttles"   = "Both places of the monitor were taken: ticks came twice, or a run hangs. A reserved concurrency of 0 stops it for good."
    "failover-trigger Errors"    = "Read its log and the journal in the lease table. The monitor that asked asks again, and the next run goes on where this one stopped."
    "failover-trigger Throttles" = "All 8 of its places were taken, of which the automation needs 4 at most: a person who asked for status, gave a consent or aborted was refused, and so was the monitor if it asked. Send the request again. Look for who invokes it so often, or for runs that don't end, in its log. A reserved concurrency of 0 stops every failover to this Region."
  }

  # What the monitor says of itself. They hold in every Region, but for no-commit, which is
  # about a writer.
  monitor = {
    # Counted when the other Regions can read what it found. So missing data means that it
    # is dead, and 0 that it runs but its reports reach no other Region.
    monitor-silent = {
      metric      = "MonitorHeartbeats", statistic = "Sum", comparison = "LessThanThreshold", threshold = 1, minutes = 3
      missing     = "breaching" # the point of a dead-man alarm
      description = "The health monitor of ${var.region} has reported nothing for 3 minutes: it is dead, or can't reach the lease table. No monitor of this Region is heard, and if the writer is here its lease expires and the monitor closes it. Read the monitor's log, check whether the rule ${var.name}-health-monitor is enabled and whether the function is throttled, and invoke it by hand with an empty object."
    }

    # One process hands over to the next without a gap. 4 s is what a handover may cost.
    monitor-gap = {
      metric      = "MonitorGap", statistic = "Maximum", comparison = "GreaterThanThreshold", threshold = 4000, minutes = 1
      missing     = "notBreaching" # it comes with a handover; none at all is for monitor-silent
      description = "No health monitor ran in ${var.region} for more than 4 s before the present one took over: a tick was lost, or a process died. A single gap needs no action. If it comes again, read the monitor's log for how the one before ended."
    }

    # Whatever the lease says: no state in which nothing is written stays silent.
    no-commit = {
      metric      = "SinceCommit", statistic = "Maximum", comparison = "GreaterThanThreshold", threshold = 15000, minutes = 1
      missing     = "notBreaching" # only the Region that answers for the writer says it; none at all is for monitor-silent
      description = "The writer in ${var.region} has committed no write of its own monitor for 15 s, whatever the lease says: clients can't write, or soon can't. Look for a message that asks a person, at the monitor's log for why the writer is closed, and at the cluster."
    }

    # Ten times the default TTL. What is renewed in time never gets near it.
    lease-stale = {
      metric      = "LeaseAge", statistic = "Maximum", comparison = "GreaterThanThreshold", threshold = 60000, minutes = 1
      missing     = "notBreaching"
      description = "${var.region} has seen no renewal of the lease for a minute: the writer is closed, or about to be, and no failover has replaced it. Look for a message that asks a person, at the monitor of the Region that has the writer, and at the lease table."
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "monitor" {
  for_each = { for key, alarm in local.monitor : key => alarm if local.member || key != "no-commit" }

  alarm_name        = "${var.name}-${each.key}"
  alarm_description = each.value.description

  namespace   = "Lifeboat"
  metric_name = each.value.metric
  dimensions  = local.lifeboat

  statistic           = each.value.statistic
  period              = 60
  evaluation_periods  = each.value.minutes
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  treat_missing_data  = each.value.missing

  alarm_actions = [aws_sns_topic.alerts.arn]
  ok_actions    = [aws_sns_topic.alerts.arn]
}

resource "aws_cloudwatch_metric_alarm" "function" {
  for_each = local.failures

  alarm_name        = each.key
  alarm_description = "${each.value.function} in ${var.region}: ${each.value.metric} in the last minute. ${each.value.to_do}"

  namespace   = "AWS/Lambda"
  metric_name = each.value.metric
  dimensions  = { FunctionName = each.value.function }

  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  treat_missing_data  = "notBreaching" # not invoked is not failed; a monitor that is not invoked trips monitor-silent

  alarm_actions = [aws_sns_topic.alerts.arn]
  ok_actions    = [aws_sns_topic.alerts.arn]
}

resource "aws_cloudwatch_metric_alarm" "dead_letters" {
  alarm_name        = "${var.name}-dead-letters"
  alarm_description = "An event in ${var.region} was given up: read ${var.dead_letter_queue_name}. A tick can be deleted. An event of the trigger came from an alarm or a person: if a failover is still wanted, invoke ${var.name}-failover-trigger, which goes on where the journal says. Then empty the queue, or the alarm stays."

  namespace   = "AWS/SQS"
  metric_name = "ApproximateNumberOfMessagesVisible"
  dimensions  = { QueueName = var.dead_letter_queue_name }

  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching" # SQS sends nothing for a queue that has been idle for hours

  alarm_actions = [aws_sns_topic.alerts.arn]
  ok_actions    = [aws_sns_topic.alerts.arn]
}

# The message of package notify says what is asked. This alarm is there for the case
# that it did not get out.
resource "aws_cloudwatch_metric_alarm" "operator" {
  count = local.member ? 1 : 0

  alarm_name        = "${var.name}-operator"
  alarm_description = "An execution in ${var.region} has stopped and asks a person. The message on the topic says what is missing; if there is none, the log of ${var.name}-failover-trigger does. The message has the command that answers; so has the answer of the trigger to {\"mode\":\"status\"}."

  namespace   = "Lifeboat"
  metric_name = "ExecutionsOperator" # pkg/dr/cloudwatch, Events
  dimensions  = local.lifeboat

  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  treat_missing_data  = "notBreaching" # a count of events has no data in good times

  alarm_actions = [aws_sns_topic.alerts.arn]
}
