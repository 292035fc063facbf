mock_provider "aws" {}

variables {
  name       = "lifeboat-test"
  account_id = "123456789012"
  members    = ["us-east-1", "us-west-2"]
}

# Every value below must be refused, each for itself: a run takes as long for one as for ten.
run "wrong_values" {
  command = plan

  variables {
    # name
    name = "aurora-primary"
    # account
    account_id = "1234-5678"
    # one member
    members = ["us-east-1"]
  }

  expect_failures = [var.name, var.account_id, var.members]
}

run "the_same_member_twice" {
  command = plan

  variables {
    members = ["us-east-1", "us-east-1"]
  }

  expect_failures = [var.members]
}

run "no_region" {
  command = plan

  variables {
    members = ["us-east-1", "primary"]
  }

  expect_failures = [var.members]
}

run "a_member_as_witness" {
  command = plan

  variables {
    witness = "us-west-2"
  }

  expect_failures = [var.witness]
}
