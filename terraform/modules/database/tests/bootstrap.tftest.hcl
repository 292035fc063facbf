# Terraform mocks no ephemeral resources before 1.17, so the Region that reads the
# secret asks the provider that is installed: in CI the stand-in, which needs no
# account.
provider "aws" {
  region = "us-west-2"
}

variables {
  name                      = "lifeboat-test"
  region                    = "us-west-2"
  bootstrap_region          = "us-west-2"
  global_cluster_identifier = "lifeboat-test"
  master_username           = "lifeboatadmin"
  secret_arn                = "arn:aws:secretsmanager:us-west-2:123456789012:secret:lifeboat-test-master-AbCdEf"
  engine_version            = "8.0.mysql_aurora.3.10.4"
  key_arn                   = "arn:aws:kms:us-west-2:123456789012:key/west"
  rds_monitoring_role_arn   = "arn:aws:iam::123456789012:role/lifeboat-test-rds-monitoring"
  subnet_ids                = ["subnet-a", "subnet-b", "subnet-c"]
  security_group_ids        = ["sg-database", "sg-inter-region"]
}

run "the_first_cluster_takes_the_login" {
  assert {
    condition     = aws_rds_cluster.this.master_username == "lifeboatadmin" && aws_rds_cluster.this.master_password_wo_version == 1 && aws_rds_cluster.this.source_region == null
    error_message = "The first cluster is created with the master login and has no replication source."
  }

  assert {
    condition     = aws_rds_cluster.this.master_password == null && aws_rds_cluster.this.master_password_wo == null
    error_message = "The password reached the state."
  }
}

# The second run applies over the state of the first.
run "bootstrap_region_is_inert_afterwards" {
  variables { bootstrap_region = "us-east-1" }

  assert {
    condition     = aws_rds_cluster.this.master_username == "lifeboatadmin" && aws_rds_cluster.this.master_password_wo_version == 1 && aws_rds_cluster.this.source_region == null
    error_message = "Flipping bootstrap_region changed a cluster that exists."
  }
}

run "joining_and_upgrading_is_not_this_modules_business" {
  variables {
    global_cluster_identifier = "lifeboat-other"
    engine_version            = "8.0.mysql_aurora.3.12.0"
    database_name             = "other"
  }

  assert {
    condition     = aws_rds_cluster.this.global_cluster_identifier == "lifeboat-test" && aws_rds_cluster.this.engine_version == "8.0.mysql_aurora.3.10.4"
    error_message = "An apply would detach or upgrade a member."
  }
}
