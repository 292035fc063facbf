locals {
  logs = toset(["audit", "error", "general", "slowquery"])
}

resource "aws_cloudwatch_log_group" "this" {
  for_each = local.logs

  name              = "/aws/rds/cluster/${local.cluster_identifier}/${each.key}"
  kms_key_id        = var.key_arn
  retention_in_days = var.log_retention_days
}
