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

# Every value below must be refused, each for itself: a run takes as long for one as for ten.
run "wrong_values_1" {
  command = plan

  variables {
    # two hyphens in a row
    name = "lifeboat-a--b"
    # no bootstrap region
    bootstrap_region = "primary"
    # no global cluster
    global_cluster_identifier = ""
    # a reserved user
    master_username = "rdsadmin"
    # a database name with a hyphen
    database_name = "my-bank"
    # a version without patch
    engine_version = "8.0.mysql_aurora.3.10"
    # no key arn
    key_arn = "alias/aws/rds"
    # no role arn
    rds_monitoring_role_arn = "rds-monitoring"
    # one subnet
    subnet_ids = ["subnet-a"]
    # no security group
    security_group_ids = []
    # one instance in production
    instance_count = 1
    # a pausing minimum
    min_acu = 0
    # no backups
    backup_retention_days = 0
    # a backup window in words
    backup_window = "at night"
    # a maintenance window without day
    maintenance_window = "04:00-05:00"
    # an odd log retention
    log_retention_days = 100
  }

  expect_failures = [
    var.name,
    var.bootstrap_region,
    var.global_cluster_identifier,
    var.master_username,
    var.database_name,
    var.engine_version,
    var.key_arn,
    var.rds_monitoring_role_arn,
    var.subnet_ids,
    var.security_group_ids,
    var.instance_count,
    var.min_acu,
    var.backup_retention_days,
    var.backup_window,
    var.maintenance_window,
    var.log_retention_days,
  ]
}

run "wrong_values_2" {
  command = plan

  variables {
    # a role as name
    name = "aurora-primary"
    # no secret arn
    secret_arn = "lifeboat-test-master"
    # a version that cannot be fenced
    engine_version = "8.0.mysql_aurora.3.05.2"
    # seventeen instances
    instance_count = 17
    # a third of a unit
    min_acu = 0.7
  }

  expect_failures = [var.name, var.secret_arn, var.engine_version, var.instance_count, var.min_acu]
}

run "wrong_values_3" {
  command = plan

  variables {
    # a key of another region
    key_arn = "arn:aws:kms:us-east-1:123456789012:key/east"
    # a secret of another region
    secret_arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:lifeboat-test-master-AbCdEf"
    # a maximum below the minimum
    min_acu = 8
    max_acu = 4
  }

  expect_failures = [var.key_arn, var.secret_arn, var.max_acu]
}

run "a_maximum_of_half_a_unit" {
  command = plan

  variables {
    max_acu = 0.5
  }

  expect_failures = [var.max_acu]
}

run "no_region" {
  command = plan
  variables { region = "west" }
  expect_failures = [var.region]
}
