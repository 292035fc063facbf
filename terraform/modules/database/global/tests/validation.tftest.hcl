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
  master_username = "lifeboatadmin"
  key_arns = {
    us-east-1 = "arn:aws:kms:us-east-1:123456789012:key/east"
    us-west-2 = "arn:aws:kms:us-west-2:123456789012:key/west"
  }
}

# Every value below must be refused, each for itself: a run takes as long for one as for ten.
run "wrong_values_1" {
  command = plan

  variables {
    # two hyphens in a row
    name = "lifeboat-a--b"
    # home is no member
    home_region = "us-east-2"
    # a key is missing
    key_arns = { us-east-1 = "arn:aws:kms:us-east-1:123456789012:key/east" }
    # a version without patch
    engine_version = "8.0.mysql_aurora.3.10"
    # a database name with a hyphen
    database_name = "my-bank"
    # a reserved user
    master_username = "rdsadmin"
    # a recovery of one day
    secret_recovery_days = 1
  }

  expect_failures = [
    var.name,
    var.home_region,
    var.key_arns,
    var.engine_version,
    var.database_name,
    var.master_username,
    var.secret_recovery_days,
  ]
}

run "wrong_values_2" {
  command = plan

  variables {
    # one member
    members = ["us-east-1"]
    # a version that cannot be fenced
    engine_version = "8.0.mysql_aurora.3.05.2"
    # a user for both logins
    master_username = "Lifeboat"
  }

  expect_failures = [var.members, var.engine_version, var.master_username]
}
