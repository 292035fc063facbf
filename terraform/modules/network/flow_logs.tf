resource "aws_cloudwatch_log_group" "flow" {
  name              = "${var.name}-flow-logs"
  kms_key_id        = var.key_arn
  retention_in_days = var.log_retention_days
}

resource "aws_flow_log" "this" {
  vpc_id                   = aws_vpc.this.id
  traffic_type             = "ALL"
  log_destination_type     = "cloud-watch-logs"
  log_destination          = aws_cloudwatch_log_group.flow.arn
  iam_role_arn             = var.flow_logs_role_arn
  max_aggregation_interval = 60 # seconds; the default of 600 is longer than a failover

  tags = { Name = var.name }
}
