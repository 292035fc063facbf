mock_provider "aws" {
  mock_data "aws_availability_zones" {
    defaults = { names = ["us-east-1a", "us-east-1b", "us-east-1c"] }
  }
}

variables {
  name               = "lifeboat-test"
  region             = "us-east-1"
  cidr               = "10.0.0.0/16"
  peer_cidr          = "10.1.0.0/16"
  peer_region        = "us-west-2"
  key_arn            = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  flow_logs_role_arn = "arn:aws:iam::123456789012:role/lifeboat-test-flow-logs"
}

run "smallest_range_is_accepted" {
  command = plan
  variables {
    cidr      = "10.0.0.0/22"
    peer_cidr = "10.0.4.0/22"
  }
}

run "longest_name_is_accepted" {
  command = plan
  variables {
    name = "lifeboat-abcdefghijklmnopqrst"
  }
}

run "provider_of_another_region_is_refused" {
  command = plan
  variables {
    region      = "us-west-2"
    peer_region = "us-east-1"
    key_arn     = "arn:aws:kms:us-west-2:123456789012:key/11111111-2222-3333-4444-555555555555"
  }
  expect_failures = [aws_vpc.this]
}

run "region_with_two_zones_is_refused" {
  command = plan
  override_data {
    target = data.aws_availability_zones.region
    values = { names = ["us-east-1a", "us-east-1b"] }
  }
  expect_failures = [aws_vpc.this]
}

# Every value below must be refused, each for itself: a run takes as long for one as for ten.
run "wrong_values_1" {
  command = plan

  variables {
    # range above 16
    cidr = "10.0.0.0/15"
    # one region is no pair
    peer_region = "us-east-1"
    # name without prefix
    name = "test"
    # retention that cloudwatch lacks
    log_retention_days = 366
    # key that is no key
    key_arn = "alias/lifeboat-test"
    # role that is no role
    flow_logs_role_arn = "lifeboat-test-flow-logs"
  }

  expect_failures = [
    var.cidr,
    var.peer_region,
    var.name,
    var.log_retention_days,
    var.key_arn,
    var.flow_logs_role_arn,
  ]
}

run "wrong_values_2" {
  command = plan

  variables {
    # range below 22
    cidr = "10.0.0.0/23"
    # name that is too long
    name = "lifeboat-abcdefghijklmnopqrstu"
  }

  expect_failures = [var.cidr, var.name]
}

run "range_that_starts_inside_is_refused" {
  command = plan

  variables {
    cidr = "10.0.0.1/16"
  }

  expect_failures = [var.cidr]
}

run "whole_internet_is_no_peer" {
  command = plan

  variables {
    peer_cidr = "0.0.0.0/0"
  }

  expect_failures = [var.peer_cidr]
}

run "equal_ranges_are_refused" {
  command = plan

  variables {
    peer_cidr = "10.0.0.0/16"
  }

  expect_failures = [var.peer_cidr]
}

run "peer_inside_own_range_is_refused" {
  command = plan

  variables {
    peer_cidr = "10.0.240.0/20"
  }

  expect_failures = [var.peer_cidr]
}

run "own_range_inside_peer_is_refused" {
  command = plan

  variables {
    cidr      = "10.1.16.0/20"
    peer_cidr = "10.1.0.0/16"
  }

  expect_failures = [var.peer_cidr]
}
