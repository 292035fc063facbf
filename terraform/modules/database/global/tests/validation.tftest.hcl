# Terraform mocks no ephemeral resources before 1.17, and Terraform opens them while it
# refuses a variable: so the provider that is installed is asked, in CI the stand-in.
provider "aws" {
  region = "us-east-1"
}

variables {
  name            = "lifeboat-test"
  home_region     = "us-east-1"
  members         = ["us-east-1", "us-west-2"]
  engine_version  = "8.0.mysql_aurora.3.10.4"
  database_name   = "transactions"
  master_username = "lifeboat"
  key_arns = {
    us-east-1 = "arn:aws:kms:us-east-1:123456789012:key/east"
    us-west-2 = "arn:aws:kms:us-west-2:123456789012:key/west"
  }
}

run "two_hyphens_in_a_row" {
  command = plan
  variables { name = "lifeboat-a--b" }
  expect_failures = [var.name]
}

run "home_is_no_member" {
  command = plan
  variables { home_region = "us-east-2" }
  expect_failures = [var.home_region]
}

run "one_member" {
  command = plan
  variables { members = ["us-east-1"] }
  expect_failures = [var.members]
}

run "a_key_is_missing" {
  command = plan
  variables { key_arns = { us-east-1 = "arn:aws:kms:us-east-1:123456789012:key/east" } }
  expect_failures = [var.key_arns]
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

run "a_database_name_with_a_hyphen" {
  command = plan
  variables { database_name = "my-bank" }
  expect_failures = [var.database_name]
}

run "a_reserved_user" {
  command = plan
  variables { master_username = "rdsadmin" }
  expect_failures = [var.master_username]
}

run "a_recovery_of_one_day" {
  command = plan
  variables { secret_recovery_days = 1 }
  expect_failures = [var.secret_recovery_days]
}
