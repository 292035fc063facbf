# Roles of AWS services. Their trust names the account and the things that may use
# them, so that no other account's database or VPC can (confused deputy).
resource "aws_iam_role" "rds_monitoring" {
  name        = "${var.name}-rds-monitoring"
  description = "RDS Enhanced Monitoring of ${var.name}"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "RDSMonitorsInstances"
      Effect    = "Allow"
      Principal = { Service = "monitoring.rds.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "aws:SourceAccount" = var.account_id }
        ArnLike      = { "aws:SourceArn" = [for r in local.members : "arn:aws:rds:${r}:${var.account_id}:db:${var.name}-${r}-*"] }
      }
    }]
  })
}

# Instead of AWS's AmazonRDSEnhancedMonitoringRole, which holds for every account,
# Region and log group that begins with RDS. The wildcards left are log streams.
#trivy:ignore:AWS-0057
resource "aws_iam_role_policy" "rds_monitoring" {
  name = "rds-monitoring"
  role = aws_iam_role.rds_monitoring.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "CreateMetricsGroup"
        Effect   = "Allow"
        Action   = ["logs:CreateLogGroup", "logs:PutRetentionPolicy"]
        Resource = [for r in local.members : "arn:aws:logs:${r}:${var.account_id}:log-group:RDSOSMetrics*"]
      },
      {
        Sid      = "WriteMetrics"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:GetLogEvents", "logs:PutLogEvents"]
        Resource = [for r in local.members : "arn:aws:logs:${r}:${var.account_id}:log-group:RDSOSMetrics:log-stream:*"]
      },
    ]
  })
}

resource "aws_iam_role" "flow_logs" {
  name        = "${var.name}-flow-logs"
  description = "VPC Flow Logs of ${var.name}"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "FlowLogsWrite"
      Effect    = "Allow"
      Principal = { Service = "vpc-flow-logs.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "aws:SourceAccount" = var.account_id }
        ArnLike      = { "aws:SourceArn" = [for r in local.members : "arn:aws:ec2:${r}:${var.account_id}:vpc-flow-log/*"] }
      }
    }]
  })
}

# The wildcards left are log streams, and the listing that can't be bound.
#trivy:ignore:AWS-0057
resource "aws_iam_role_policy" "flow_logs" {
  name = "flow-logs"
  role = aws_iam_role.flow_logs.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        # The network module creates the group, encrypted; the service only fills it.
        Sid      = "WriteFlows"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
        Resource = [for r in local.members : "arn:aws:logs:${r}:${var.account_id}:log-group:${var.name}-flow-logs:*"]
      },
      {
        # Listing can't be bound to one group.
        Sid      = "FindGroup"
        Effect   = "Allow"
        Action   = "logs:DescribeLogGroups"
        Resource = [for r in local.members : "arn:aws:logs:${r}:${var.account_id}:log-group:*"]
      },
    ]
  })
}
