mock_provider "aws" {}

variables {
  name                   = "lifeboat-test"
  zone_name              = "test.lifeboat.internal"
  members                = ["us-east-1", "us-west-2"]
  vpc_ids                = { "us-east-1" = "vpc-east", "us-west-2" = "vpc-west" }
  endpoints              = { "us-east-1" = "east.example.internal", "us-west-2" = "west.example.internal" }
  role_alarm_names       = { "us-east-1" = "lifeboat-test-role-us-east-1", "us-west-2" = "lifeboat-test-role-us-west-2" }
  role_alarm_definitions = { "us-east-1" = "one", "us-west-2" = "two" }
}

run "records_and_checks" {
  command = plan

  # Zone is private in both.
  assert {
    condition = { for vpc in aws_route53_zone.this.vpc : vpc.vpc_region => vpc.vpc_id } == {
      "us-east-1" = "vpc-east"
      "us-west-2" = "vpc-west"
    }
    error_message = "The zone answers in both members' VPCs and nowhere else."
  }

  # Each record follows the other region.
  assert {
    condition = alltrue([
      for region, other in { "us-east-1" = "us-west-2", "us-west-2" = "us-east-1" } :
      aws_route53_health_check.role[region].cloudwatch_alarm_region == other &&
      aws_route53_health_check.role[region].cloudwatch_alarm_name == "lifeboat-test-role-${region}" &&
      aws_route53_health_check.role[region].type == "CLOUDWATCH_METRIC" &&
      aws_route53_health_check.role[region].invert_healthcheck == false
    ])
    error_message = "The record of a Region follows the alarm about it in the other Region: a lost Region can't report about itself."
  }

  assert {
    condition = (
      aws_route53_health_check.role["us-east-1"].insufficient_data_health_status == "LastKnownStatus" &&
      aws_route53_health_check.role["us-west-2"].insufficient_data_health_status == "Healthy"
    )
    error_message = "Silence: the first record keeps the last report, the second is healthy. README.md, \"Silence\"."
  }

  assert {
    condition     = aws_route53_health_check.role["us-west-2"].triggers == tomap({ alarm = "two" })
    error_message = "A changed alarm makes Route 53 read it again."
  }

  # Records.
  assert {
    condition = alltrue([
      for region, endpoint in var.endpoints :
      aws_route53_record.db[region].name == "db.test.lifeboat.internal" &&
      aws_route53_record.db[region].type == "CNAME" &&
      aws_route53_record.db[region].ttl == 5 &&
      aws_route53_record.db[region].records == toset([endpoint]) &&
      aws_route53_record.db[region].set_identifier == region
    ])
    error_message = "One record a Region, named by the Region, TTL 5 s."
  }

  assert {
    condition = (
      one(aws_route53_record.db["us-east-1"].failover_routing_policy).type == "PRIMARY" &&
      one(aws_route53_record.db["us-west-2"].failover_routing_policy).type == "SECONDARY"
    )
    error_message = "The order of preference is the order of members."
  }

  assert {
    condition     = output.record_name == "db.test.lifeboat.internal"
    error_message = "record_name is the name that applications ask for."
  }
}

# Every value below must be refused, each for itself: a run takes as long for one as for ten.
run "wrong_values_1" {
  command = plan

  variables {
    # one member
    members = ["us-east-1"]
    # a bad zone
    zone_name = "Test_Zone."
    # a bad name
    name = "database-test"
  }

  expect_failures = [var.members, var.zone_name, var.name]
}

run "refuses_the_same_member_twice" {
  command = plan

  variables {
    members = ["us-east-1", "us-east-1"]
  }

  expect_failures = [var.members]
}

run "wrong_values_3" {
  command = plan

  variables {
    # a missing alarm
    role_alarm_names = { "us-east-1" = "lifeboat-test-role-us-east-1" }
    # a stranger among the vpcs
    vpc_ids = { "us-east-1" = "vpc-east", "us-west-2" = "vpc-west", "us-east-2" = "vpc-third" }
  }

  expect_failures = [var.role_alarm_names, var.vpc_ids]
}
