locals {
  # What the two kinds of Region share: the monitor, the event counts and the functions.
  widgets_everywhere = [
    {
      title = "The monitor: gaps and age of the lease (ms)"
      stat  = "Maximum"
      metrics = [
        for metric in ["MonitorGap", "LeaseAge"] : ["Lifeboat", metric, "Region", var.region, "GlobalCluster", var.global_cluster_identifier]
      ]
    },
    {
      title = "Events"
      stat  = "Sum"
      metrics = [
        for metric in ["MonitorHeartbeats", "MonitorLeaseLosses", "VerdictChanges", "StateChanges", "LeaseChanges", "Problems", "ExecutionsSettled", "ExecutionsAborted", "ExecutionsOperator"] :
        ["Lifeboat", metric, "Region", var.region, "GlobalCluster", var.global_cluster_identifier]
      ]
    },
    {
      title = "Functions"
      stat  = "Sum"
      metrics = concat(
        [for pair in setproduct(var.function_names, ["Invocations", "Errors", "Throttles"]) : ["AWS/Lambda", pair[1], "FunctionName", pair[0]]],
        [["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", var.dead_letter_queue_name]],
      )
    },
  ]

  widgets_member = !local.member ? [] : [
    {
      title = "Where the writer is, as ${var.region} sees it"
      stat  = "Minimum"
      metrics = [
        for member in var.members : ["Lifeboat", "WriterHere", "Region", member, "GlobalCluster", var.global_cluster_identifier]
      ]
    },
    {
      title = "Replication to ${var.region} (ms): only while the writer is elsewhere"
      stat  = "Maximum"
      metrics = [
        for metric in ["AuroraGlobalDBRPOLag", "AuroraGlobalDBReplicationLag", "AuroraGlobalDBProgressLag"] :
        ["AWS/RDS", metric, "DBClusterIdentifier", var.cluster_identifier]
      ]
    },
    {
      title = "CPU, busiest instance (%)"
      stat  = "Maximum"
      metrics = [
        for metric in ["CPUUtilization", "ACUUtilization"] : ["AWS/RDS", metric, "DBClusterIdentifier", var.cluster_identifier]
      ]
    },
    {
      title   = "Connections, busiest instance"
      stat    = "Maximum"
      metrics = [["AWS/RDS", "DatabaseConnections", "DBClusterIdentifier", var.cluster_identifier]]
    },
  ]

  widgets = concat(local.widgets_member, local.widgets_everywhere)
}

# Of this Region's own metrics: it opens while the other Region is dark.
resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = "${var.name}-${var.region}"

  dashboard_body = jsonencode({
    widgets = [
      for i, widget in local.widgets : {
        type   = "metric"
        x      = (i % 2) * 12
        y      = floor(i / 2) * 6
        width  = 12
        height = 6
        properties = {
          region  = var.region
          title   = widget.title
          stat    = widget.stat
          period  = 60
          view    = "timeSeries"
          metrics = widget.metrics
        }
      }
    ]
  })
}
