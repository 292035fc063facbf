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
  master_username           = "lifeboat"
  secret_arn                = "arn:aws:secretsmanager:us-west-2:123456789012:secret:lifeboat-test-master-AbCdEf"
  engine_version            = "8.0.mysql_aurora.3.10.4"
  key_arn                   = "arn:aws:kms:us-west-2:123456789012:key/west"
  rds_monitoring_role_arn   = "arn:aws:iam::123456789012:role/lifeboat-test-rds-monitoring"
  subnet_ids                = ["subnet-a", "subnet-b", "subnet-c"]
  security_group_ids        = ["sg-database", "sg-inter-region"]
}

run "two_hyphens_in_a_row" {
  command = plan
  variables { name = "lifeboat-a--b" }
  expect_failures = [var.name]
}

run "a_role_as_name" {
  command = plan
  variables { name = "aurora-primary" }
  expect_failures = [var.name]
}

run "no_region" {
  command = plan
  variables { region = "west" }
  expect_failures = [var.region]
}

run "no_bootstrap_region" {
  command = plan
  variables { bootstrap_region = "primary" }
  expect_failures = [var.bootstrap_region]
}

run "no_global_cluster" {
  command = plan
  variables { global_cluster_identifier = "" }
  expect_failures = [var.global_cluster_identifier]
}

run "a_reserved_user" {
  command = plan
  variables { master_username = "rdsadmin" }
  expect_failures = [var.master_username]
}

run "a_database_name_with_a_hyphen" {
  command = plan
  variables { database_name = "my-bank" }
  expect_failures = [var.database_name]
}

run "no_secret_arn" {
  command = plan
  variables { secret_arn = "lifeboat-test-master" }
  expect_failures = [var.secret_arn]
}

run "a_secret_of_another_region" {
  command = plan
  variables { secret_arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:lifeboat-test-master-AbCdEf" }
  expect_failures = [var.secret_arn]
}

run "a_version_without_patch" {
  command = plan
  variables { engine_version = "8.0.mysql_aurora.3.10" }
  expect_failures = [var.engine_version]
}

run "a_version_that_cannot_be_fenced" {
  command = plan
  variables { engine_version = "8.0.mysql_aurora.3.05.2" }
  expect_failures = [var.engine_version]
}

run "no_key_arn" {
  command = plan
  variables { key_arn = "alias/aws/rds" }
  expect_failures = [var.key_arn]
}

run "no_role_arn" {
  command = plan
  variables { rds_monitoring_role_arn = "rds-monitoring" }
  expect_failures = [var.rds_monitoring_role_arn]
}

run "one_subnet" {
  command = plan
  variables { subnet_ids = ["subnet-a"] }
  expect_failures = [var.subnet_ids]
}

run "no_security_group" {
  command = plan
  variables { security_group_ids = [] }
  expect_failures = [var.security_group_ids]
}

run "one_instance_in_production" {
  command = plan
  variables { instance_count = 1 }
  expect_failures = [var.instance_count]
}

run "seventeen_instances" {
  command = plan
  variables { instance_count = 17 }
  expect_failures = [var.instance_count]
}

run "a_pausing_minimum" {
  command = plan
  variables { min_acu = 0 }
  expect_failures = [var.min_acu]
}

run "a_third_of_a_unit" {
  command = plan
  variables { min_acu = 0.7 }
  expect_failures = [var.min_acu]
}

run "a_maximum_below_the_minimum" {
  command = plan
  variables {
    min_acu = 8
    max_acu = 4
  }
  expect_failures = [var.max_acu]
}

run "a_maximum_of_half_a_unit" {
  command = plan
  variables { max_acu = 0.5 }
  expect_failures = [var.max_acu]
}

run "no_backups" {
  command = plan
  variables { backup_retention_days = 0 }
  expect_failures = [var.backup_retention_days]
}

run "a_backup_window_in_words" {
  command = plan
  variables { backup_window = "at night" }
  expect_failures = [var.backup_window]
}

run "a_maintenance_window_without_day" {
  command = plan
  variables { maintenance_window = "04:00-05:00" }
  expect_failures = [var.maintenance_window]
}

run "an_odd_log_retention" {
  command = plan
  variables { log_retention_days = 100 }
  expect_failures = [var.log_retention_days]
}
