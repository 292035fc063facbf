mock_provider "aws" {}

variables {
  name       = "lifeboat-test"
  account_id = "123456789012"
  members    = ["us-east-1", "us-west-2"]
}

run "name" {
  command = plan
  variables { name = "aurora-primary" }
  expect_failures = [var.name]
}

run "account" {
  command = plan
  variables { account_id = "1234-5678" }
  expect_failures = [var.account_id]
}

run "one_member" {
  command = plan
  variables { members = ["us-east-1"] }
  expect_failures = [var.members]
}

run "the_same_member_twice" {
  command = plan
  variables { members = ["us-east-1", "us-east-1"] }
  expect_failures = [var.members]
}

run "no_region" {
  command = plan
  variables { members = ["us-east-1", "primary"] }
  expect_failures = [var.members]
}

run "a_member_as_witness" {
  command = plan
  variables { witness = "us-west-2" }
  expect_failures = [var.witness]
}
