# Everything that stands in us-west-2. It plans and applies while us-east-1 is dark: nothing
# here asks another Region.

data "aws_caller_identity" "current" {}

module "network" {
  source = "../../../modules/network"

  name               = var.name
  region             = var.region
  cidr               = var.cidr
  peer_region        = var.peer_region
  peer_cidr          = var.peer_cidr
  key_arn            = var.global.key_arns[var.region]
  flow_logs_role_arn = var.global.flow_logs_role_arn
  log_retention_days = var.log_retention_days
}

module "database" {
  source = "../../../modules/database"

  name                      = var.name
  region                    = var.region
  global_cluster_identifier = var.global.global_cluster_identifier
  engine_version            = var.engine_version
  bootstrap_region          = var.bootstrap_region
  database_name             = var.database_name
  master_username           = var.master_username
  secret_arn                = var.global.master_secret_arns[var.region]
  key_arn                   = var.global.key_arns[var.region]
  rds_monitoring_role_arn   = var.global.rds_monitoring_role_arn
  subnet_ids                = module.network.subnet_ids
  security_group_ids        = module.network.database_security_group_ids
  instance_count            = var.instance_count
  min_acu                   = var.min_acu
  max_acu                   = var.max_acu
  backup_retention_days     = var.backup_retention_days
  backup_window             = var.backup_window
  maintenance_window        = var.maintenance_window
  production                = var.production
  deletion_protection       = var.deletion_protection
  log_retention_days        = var.log_retention_days
}

module "monitoring" {
  source = "../../../modules/monitoring"

  name                      = var.name
  region                    = var.region
  account_id                = data.aws_caller_identity.current.account_id
  key_arn                   = var.global.key_arns[var.region]
  members                   = var.members
  global_cluster_identifier = var.global.global_cluster_identifier
  cluster_identifier        = module.database.cluster_identifier
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
  failover_trigger_role_arn = var.global.failover_trigger_role_arns[var.region]
  network = {
    subnet_ids         = module.network.subnet_ids
    security_group_ids = module.network.functions_security_group_ids
  }
  database_endpoint         = module.database.endpoint
  reader_endpoint           = module.database.reader_endpoint
  writer_endpoint           = var.global.writer_endpoint
  secret_arn                = var.global.functions_secret_arns[var.region]
  master_secret_arn         = var.global.master_secret_arns[var.region]
  packages                  = var.packages
  architecture              = var.architecture
  global_cluster_identifier = var.global.global_cluster_identifier
  lease_table_name          = var.global.lease_table_name
  topic_arn                 = module.monitoring.topic_arn
  policy                    = jsonencode(var.policy)
  log_retention_days        = var.log_retention_days
}
