# One member of the global cluster. The block is the same in both Regions: which of
# them writes is decided at run time, and nothing here may change when it moves.
locals {
  cluster_identifier = "${var.name}-${var.region}"

  # Only the first cluster of a global cluster is created with a login and a database;
  # every other one receives them by replication.
  bootstraps = var.region == var.bootstrap_region
}

# The secret in this Region, so that planning needs no other. Ephemeral: its value
# reaches neither plan nor state.
ephemeral "aws_secretsmanager_secret_version" "login" {
  count = local.bootstraps ? 1 : 0

  secret_id = var.secret_arn
}

locals {
  login_secret = one(ephemeral.aws_secretsmanager_secret_version.login[*].secret_string)

  # A bare password is taken as well. Broken JSON is not mistaken for one: it holds a
  # quotation mark, which RDS refuses.
  master_password = local.bootstraps ? try(jsondecode(local.login_secret).password, local.login_secret) : null
}

resource "aws_db_subnet_group" "this" {
  name        = local.cluster_identifier
  description = "Private subnets of ${local.cluster_identifier}"
  subnet_ids  = var.subnet_ids

  tags = { Name = local.cluster_identifier }
}

resource "aws_rds_cluster" "this" {
  # Aurora can't backtrack in a global database.
  #checkov:skip=CKV_AWS_326:backtrack is not available in an Aurora global database
  # The pair of Regions and their continuous backups are the protection; a team that
  # must also use AWS Backup selects the cluster by tag.
  #checkov:skip=CKV2_AWS_8:continuous backups in both Regions; AWS Backup selects by tag where a policy asks for it

  cluster_identifier        = local.cluster_identifier
  global_cluster_identifier = var.global_cluster_identifier
  engine                    = "aurora-mysql"
  engine_version            = var.engine_version
  port                      = 3306

  database_name              = local.bootstraps ? var.database_name : null
  master_username            = local.bootstraps ? var.master_username : null
  master_password_wo         = local.master_password
  master_password_wo_version = local.bootstraps ? 1 : null
  source_region              = local.bootstraps ? null : var.bootstrap_region # needed to encrypt what another Region sends

  iam_database_authentication_enabled = true

  db_subnet_group_name            = aws_db_subnet_group.this.name
  vpc_security_group_ids          = var.security_group_ids
  db_cluster_parameter_group_name = aws_rds_cluster_parameter_group.this.name

  storage_encrypted = true
  kms_key_id        = var.key_arn

  serverlessv2_scaling_configuration {
    min_capacity = var.min_acu
    max_capacity = var.max_acu
  }

  backup_retention_period      = var.backup_retention_days
  preferred_backup_window      = var.backup_window
  preferred_maintenance_window = var.maintenance_window
  copy_tags_to_snapshot        = true
  delete_automated_backups     = !var.production
  skip_final_snapshot          = !var.production
  final_snapshot_identifier    = var.production ? "${local.cluster_identifier}-final" : null
  deletion_protection          = var.deletion_protection

  enabled_cloudwatch_logs_exports = local.logs

  # An export to a group that isn't there creates one, unencrypted and kept for ever.
  depends_on = [aws_cloudwatch_log_group.this]

  lifecycle {
    ignore_changes = [
      # A failover swaps who replicates from whom. Undoing that in a plan would promote
      # the cluster to a standalone one (hashicorp/terraform-provider-aws#40921).
      replication_source_identifier,
      # An apply that found it empty would detach the member.
      global_cluster_identifier,
      # Upgrades go through the global cluster, and reach members outside Terraform.
      engine_version,
      # Read when a cluster is created, and never again: so bootstrap_region may change.
      master_username,
      master_password_wo,
      master_password_wo_version,
      database_name,
      source_region,
      # What a restored cluster was restored from is history.
      snapshot_identifier,
    ]
  }
}

resource "aws_rds_cluster_instance" "this" {
  # A member must not be patched by itself: managed failover wants the same patch level
  # in both Regions. AWS ignores the setting in a global database; a member that was
  # detached would obey it.
  #checkov:skip=CKV_AWS_226:both Regions must have the same patch level, so upgrades go through the global cluster

  for_each = toset([for i in range(var.instance_count) : tostring(i + 1)])

  identifier              = "${local.cluster_identifier}-${each.key}"
  cluster_identifier      = aws_rds_cluster.this.id
  engine                  = aws_rds_cluster.this.engine
  instance_class          = "db.serverless"
  db_subnet_group_name    = aws_db_subnet_group.this.name
  db_parameter_group_name = aws_db_parameter_group.this.name

  # Tiers 0 and 1 follow the writer's capacity, so each instance can take over warm
  # (Aurora User Guide, Serverless v2 capacity).
  promotion_tier             = 1
  publicly_accessible        = false
  auto_minor_version_upgrade = false
  copy_tags_to_snapshot      = true

  monitoring_interval             = 15 # seconds
  monitoring_role_arn             = var.rds_monitoring_role_arn
  performance_insights_enabled    = true # feeds CloudWatch Database Insights; keeps an instance above its minimum
  performance_insights_kms_key_id = var.key_arn
}
