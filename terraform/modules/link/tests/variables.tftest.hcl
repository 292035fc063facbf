mock_provider "aws" {
  alias = "requester"
}

mock_provider "aws" {
  alias = "accepter"
}

variables {
  name = "lifeboat-test"

  requester = {
    region            = "us-east-1"
    vpc_id            = "vpc-0aaa"
    vpc_cidr          = "10.0.0.0/16"
    route_table_ids   = ["rtb-0a1", "rtb-0a2", "rtb-0a3"]
    rds_endpoint      = { dns_name = "vpce-0a.rds.us-east-1.vpce.amazonaws.com", hosted_zone_id = "ZA" }
    dynamodb_endpoint = { dns_name = "vpce-0a-d1.dynamodb.us-east-1.vpce.amazonaws.com" }
  }

  accepter = {
    region            = "us-west-2"
    vpc_id            = "vpc-0bbb"
    vpc_cidr          = "10.1.0.0/16"
    route_table_ids   = ["rtb-0b1", "rtb-0b2", "rtb-0b3"]
    rds_endpoint      = { dns_name = "vpce-0b.rds.us-west-2.vpce.amazonaws.com", hosted_zone_id = "ZB" }
    dynamodb_endpoint = { dns_name = "vpce-0b-d1.dynamodb.us-west-2.vpce.amazonaws.com" }
  }
}

# Every value below must be refused, each for itself: a run takes as long for one as for ten.
run "wrong_values" {
  command = plan

  variables {
    # one region is no pair
    accepter = {
      region            = "us-east-1"
      vpc_id            = "vpc-0bbb"
      vpc_cidr          = "10.1.0.0/16"
      route_table_ids   = ["rtb-0b1"]
      rds_endpoint      = { dns_name = "vpce-0b.rds.us-west-2.vpce.amazonaws.com", hosted_zone_id = "ZB" }
      dynamodb_endpoint = { dns_name = "vpce-0b-d1.dynamodb.us-east-1.vpce.amazonaws.com" }
    }
    # name without prefix
    name = "test"
  }

  expect_failures = [var.accepter, var.name]
}

run "equal_ranges_are_refused" {
  command = plan

  variables {
    accepter = {
      region            = "us-west-2"
      vpc_id            = "vpc-0bbb"
      vpc_cidr          = "10.0.0.0/16"
      route_table_ids   = ["rtb-0b1"]
      rds_endpoint      = { dns_name = "vpce-0b.rds.us-west-2.vpce.amazonaws.com", hosted_zone_id = "ZB" }
      dynamodb_endpoint = { dns_name = "vpce-0b-d1.dynamodb.us-west-2.vpce.amazonaws.com" }
    }
  }

  expect_failures = [var.accepter]
}

run "range_inside_the_other_is_refused" {
  command = plan

  variables {
    accepter = {
      region            = "us-west-2"
      vpc_id            = "vpc-0bbb"
      vpc_cidr          = "10.0.128.0/24"
      route_table_ids   = ["rtb-0b1"]
      rds_endpoint      = { dns_name = "vpce-0b.rds.us-west-2.vpce.amazonaws.com", hosted_zone_id = "ZB" }
      dynamodb_endpoint = { dns_name = "vpce-0b-d1.dynamodb.us-west-2.vpce.amazonaws.com" }
    }
  }

  expect_failures = [var.accepter]
}

run "route_to_the_whole_internet_is_refused" {
  command = plan

  variables {
    accepter = {
      region            = "us-west-2"
      vpc_id            = "vpc-0bbb"
      vpc_cidr          = "0.0.0.0/0"
      route_table_ids   = ["rtb-0b1"]
      rds_endpoint      = { dns_name = "vpce-0b.rds.us-west-2.vpce.amazonaws.com", hosted_zone_id = "ZB" }
      dynamodb_endpoint = { dns_name = "vpce-0b-d1.dynamodb.us-west-2.vpce.amazonaws.com" }
    }
  }

  expect_failures = [var.accepter]
}

run "range_above_16_is_refused" {
  command = plan

  variables {
    requester = {
      region            = "us-east-1"
      vpc_id            = "vpc-0aaa"
      vpc_cidr          = "10.0.0.0/8"
      route_table_ids   = ["rtb-0a1"]
      rds_endpoint      = { dns_name = "vpce-0a.rds.us-east-1.vpce.amazonaws.com", hosted_zone_id = "ZA" }
      dynamodb_endpoint = { dns_name = "vpce-0a-d1.dynamodb.us-east-1.vpce.amazonaws.com" }
    }
  }

  expect_failures = [var.requester]
}

run "range_that_is_no_range_is_refused" {
  command = plan

  variables {
    requester = {
      region            = "us-east-1"
      vpc_id            = "vpc-0aaa"
      vpc_cidr          = "10.0.0.0"
      route_table_ids   = ["rtb-0a1"]
      rds_endpoint      = { dns_name = "vpce-0a.rds.us-east-1.vpce.amazonaws.com", hosted_zone_id = "ZA" }
      dynamodb_endpoint = { dns_name = "vpce-0a-d1.dynamodb.us-east-1.vpce.amazonaws.com" }
    }
  }

  expect_failures = [var.requester]
}

run "region_that_is_no_region_is_refused" {
  command = plan

  variables {
    requester = {
      region            = "use1"
      vpc_id            = "vpc-0aaa"
      vpc_cidr          = "10.0.0.0/16"
      route_table_ids   = ["rtb-0a1"]
      rds_endpoint      = { dns_name = "vpce-0a.rds.us-east-1.vpce.amazonaws.com", hosted_zone_id = "ZA" }
      dynamodb_endpoint = { dns_name = "vpce-0a-d1.dynamodb.us-east-1.vpce.amazonaws.com" }
    }
  }

  expect_failures = [var.requester]
}

run "no_route_table_is_refused" {
  command = plan

  variables {
    requester = {
      region            = "us-east-1"
      vpc_id            = "vpc-0aaa"
      vpc_cidr          = "10.0.0.0/16"
      route_table_ids   = []
      rds_endpoint      = { dns_name = "vpce-0a.rds.us-east-1.vpce.amazonaws.com", hosted_zone_id = "ZA" }
      dynamodb_endpoint = { dns_name = "vpce-0a-d1.dynamodb.us-east-1.vpce.amazonaws.com" }
    }
  }

  expect_failures = [var.requester]
}

run "route_table_given_twice_is_refused" {
  command = plan

  variables {
    accepter = {
      region            = "us-west-2"
      vpc_id            = "vpc-0bbb"
      vpc_cidr          = "10.1.0.0/16"
      route_table_ids   = ["rtb-0b1", "rtb-0b1"]
      rds_endpoint      = { dns_name = "vpce-0b.rds.us-west-2.vpce.amazonaws.com", hosted_zone_id = "ZB" }
      dynamodb_endpoint = { dns_name = "vpce-0b-d1.dynamodb.us-west-2.vpce.amazonaws.com" }
    }
  }

  expect_failures = [var.accepter]
}

run "endpoint_of_another_region_is_refused" {
  command = plan

  variables {
    accepter = {
      region            = "us-west-2"
      vpc_id            = "vpc-0bbb"
      vpc_cidr          = "10.1.0.0/16"
      route_table_ids   = ["rtb-0b1"]
      rds_endpoint      = { dns_name = "vpce-0b.rds.us-west-2.vpce.amazonaws.com", hosted_zone_id = "ZB" }
      dynamodb_endpoint = { dns_name = "vpce-0b-d1.dynamodb.us-east-1.vpce.amazonaws.com" } # its own Region's
    }
  }

  expect_failures = [var.accepter]
}

run "endpoint_of_another_service_is_refused" {
  command = plan

  variables {
    requester = {
      region            = "us-east-1"
      vpc_id            = "vpc-0aaa"
      vpc_cidr          = "10.0.0.0/16"
      route_table_ids   = ["rtb-0a1"]
      rds_endpoint      = { dns_name = "vpce-0a.rds.us-east-1.vpce.amazonaws.com", hosted_zone_id = "ZA" }
      dynamodb_endpoint = { dns_name = "vpce-0a-d1.rds.us-east-1.vpce.amazonaws.com" } # of the RDS API
    }
  }

  expect_failures = [var.requester]
}

run "endpoint_elsewhere_is_refused" {
  command = plan

  variables {
    requester = {
      region            = "us-east-1"
      vpc_id            = "vpc-0aaa"
      vpc_cidr          = "10.0.0.0/16"
      route_table_ids   = ["rtb-0a1"]
      rds_endpoint      = { dns_name = "vpce-0a.rds.us-east-1.vpce.amazonaws.com", hosted_zone_id = "ZA" }
      dynamodb_endpoint = { dns_name = "vpce-0a-d1.dynamodb.us-east-1.vpce.amazonaws.com.example.com" } # signed requests would leave AWS
    }
  }

  expect_failures = [var.requester]
}
