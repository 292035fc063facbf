# The witness in us-east-2: a monitor that sees both Regions from a third one, and votes. It
# holds no data.

data "aws_caller_identity" "current" {}

module "monitoring" {
  source = "../../../modules/monitoring"

  name                      = var.name
  region                    = var.region
  account_id                = data.aws_caller_identity.current.account_id
  key_arn                   = var.global.key_arns[var.region]
  members                   = var.members
  global_cluster_identifier = var.global.global_cluster_identifier
  cluster_identifier        = null
  notification_emails       = var.notification_emails
  thresholds                = var.thresholds
  function_names            = values(module.failover.function_names)
  dead_letter_queue_name    = module.failover.dead_letter_queue_name
}

module "failover" {
  source = "../../../modules/failover"

  name                      = var.name
  region                    = var.region
  account_id                = data.aws_caller_identity.current.account_id
  members                   = var.members
  witness                   = var.witness
  key_arn                   = var.global.key_arns[var.region]
  health_monitor_role_arn   = var.global.health_monitor_role_arns[var.region]
  failover_trigger_role_arn = null
  network                   = null
  database_endpoint         = null
  reader_endpoint           = null
  writer_endpoint           = null
  secret_arn                = null
  master_secret_arn         = null
  packages                  = var.packages
  architecture              = var.architecture
  global_cluster_identifier = var.global.global_cluster_identifier
  lease_table_name          = var.global.lease_table_name
  topic_arn                 = module.monitoring.topic_arn
  policy                    = jsonencode(var.policy)
  log_retention_days        = var.log_retention_days
}
