# Not mock_provider: Terraform before 1.17 mocks no provider for a module that has
# ephemeral resources. Planning these runs asks AWS nothing, so no account is needed.
provider "aws" {
  region                      = "us-west-2"
  access_key                  = "none"
  secret_key                  = "none"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

variables {
  name                      = "lifeboat-test"
  region                    = "us-west-2"
  bootstrap_region          = "us-east-1"
  global_cluster_identifier = "lifeboat-test"
  master_username           = "lifeboatadmin"
  secret_arn                = "arn:aws:secretsmanager:us-west-2:123456789012:secret:lifeboat-test-master-AbCdEf"
  engine_version            = "8.0.mysql_aurora.3.10.4"
  key_arn                   = "arn:aws:kms:us-west-2:123456789012:key/west"
  rds_monitoring_role_arn   = "arn:aws:iam::123456789012:role/lifeboat-test-rds-monitoring"
  subnet_ids                = ["subnet-a", "subnet-b", "subnet-c"]
  security_group_ids        = ["sg-database", "sg-inter-region"]
}

run "member" {
  command = plan

  # Names hold the region and no role.
  assert {
    condition     = aws_rds_cluster.this.cluster_identifier == "lifeboat-test-us-west-2"
    error_message = "Members are named after their Region, because one failover makes a role a lie."
  }

  assert {
    condition     = join(" ", [for i in aws_rds_cluster_instance.this : i.identifier]) == "lifeboat-test-us-west-2-1 lifeboat-test-us-west-2-2"
    error_message = "The roles in module access name instances as <cluster>-<number>."
  }

  # A later member takes no login and no database.
  assert {
    condition     = aws_rds_cluster.this.master_password_wo_version == null && aws_rds_cluster.this.master_password == null
    error_message = "RDS refuses a login for a cluster that replicates."
  }

  assert {
    condition     = aws_rds_cluster.this.source_region == "us-east-1" && aws_rds_cluster.this.global_cluster_identifier == "lifeboat-test"
    error_message = "An encrypted member names the Region that it replicates from."
  }

  # Storage and logs are encrypted with this regions key.
  assert {
    condition     = aws_rds_cluster.this.storage_encrypted && aws_rds_cluster.this.kms_key_id == var.key_arn
    error_message = "The cluster is not encrypted with the Region's key."
  }

  assert {
    condition     = join(" ", sort([for g in aws_cloudwatch_log_group.this : g.name])) == join(" ", [for l in ["audit", "error", "general", "slowquery"] : "/aws/rds/cluster/lifeboat-test-us-west-2/${l}"])
    error_message = "Each exported log needs its group beforehand."
  }

  assert {
    condition     = alltrue([for g in aws_cloudwatch_log_group.this : g.kms_key_id == var.key_arn && g.retention_in_days == 365])
    error_message = "A log group is unencrypted or kept too short."
  }

  # What is exported is also turned on.
  assert {
    condition     = join(" ", sort(aws_rds_cluster.this.enabled_cloudwatch_logs_exports)) == "audit error general slowquery"
    error_message = "Four logs are exported."
  }

  assert {
    condition = length(setsubtract(
      ["general_log=1", "slow_query_log=1", "log_output=FILE"],
      [for p in aws_db_parameter_group.this.parameter : "${p.name}=${p.value}"],
    )) == 0
    error_message = "The origin exported logs that its parameter group did not turn on."
  }

  assert {
    condition = length(setsubtract(
      ["server_audit_logging=1", "require_secure_transport=ON", "read_only=1", "event_scheduler=ON", "binlog_format=ROW"],
      [for p in aws_rds_cluster_parameter_group.this.parameter : "${p.name}=${p.value}"],
    )) == 0
    error_message = "A cluster parameter is missing."
  }

  # No parameter touches a running server.
  assert {
    condition = alltrue([
      for p in concat(tolist(aws_rds_cluster_parameter_group.this.parameter), tolist(aws_db_parameter_group.this.parameter)) : p.apply_method == "pending-reboot"
    ])
    error_message = "read_only at once would close an open writer."
  }

  # Production is protected.
  assert {
    condition = (
      aws_rds_cluster.this.deletion_protection && !aws_rds_cluster.this.skip_final_snapshot && !aws_rds_cluster.this.delete_automated_backups &&
      aws_rds_cluster.this.final_snapshot_identifier == "lifeboat-test-us-west-2-final" && aws_rds_cluster.this.backup_retention_period == 7
    )
    error_message = "Deletion protection, a final snapshot and backups that outlive the cluster are the default."
  }

  # Instances are private alike and not patched alone.
  assert {
    condition = alltrue([
      for i in aws_rds_cluster_instance.this : !i.publicly_accessible && !i.auto_minor_version_upgrade && i.promotion_tier == 1 &&
      i.monitoring_interval > 0 && i.performance_insights_enabled && i.performance_insights_kms_key_id == var.key_arn && i.instance_class == "db.serverless"
    ])
    error_message = "An instance is public, patched alone or unobserved."
  }
}

run "both_regions_get_the_same_block" {
  command = plan
  variables {
    region           = "us-east-1"
    bootstrap_region = "us-west-2"
    secret_arn       = "arn:aws:secretsmanager:us-east-1:123456789012:secret:lifeboat-test-master-AbCdEf"
    key_arn          = "arn:aws:kms:us-east-1:123456789012:key/east"
  }

  assert {
    condition     = aws_rds_cluster.this.cluster_identifier == "lifeboat-test-us-east-1" && aws_rds_cluster.this.source_region == "us-west-2"
    error_message = "The block differs by Region only."
  }
}

run "a_test_deployment_may_be_small_and_go" {
  command = plan
  variables {
    production          = false
    instance_count      = 1
    deletion_protection = false
  }

  assert {
    condition     = length(aws_rds_cluster_instance.this) == 1 && aws_rds_cluster.this.skip_final_snapshot && !aws_rds_cluster.this.deletion_protection
    error_message = "Outside production one instance will do."
  }
}
