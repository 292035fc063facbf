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

run "link" {
  # One end asks and the other accepts.
  assert {
    condition = (
      aws_vpc_peering_connection.this.vpc_id == "vpc-0aaa" &&
      aws_vpc_peering_connection.this.peer_vpc_id == "vpc-0bbb" &&
      aws_vpc_peering_connection.this.peer_region == "us-west-2" &&
      aws_vpc_peering_connection.this.auto_accept == false
    )
    error_message = "The requester asks for the accepter's VPC in the accepter's Region and can't accept for it."
  }

  assert {
    condition     = aws_vpc_peering_connection_accepter.this.auto_accept && aws_vpc_peering_connection_accepter.this.vpc_peering_connection_id == aws_vpc_peering_connection.this.id
    error_message = "The accepter accepts that peering."
  }

  assert {
    condition     = output.peering_connection_id == aws_vpc_peering_connection_accepter.this.id
    error_message = "What is handed on is the peering after it was accepted."
  }

  # Dns resolves both ways.
  assert {
    condition = (
      aws_vpc_peering_connection_options.requester.requester[0].allow_remote_vpc_dns_resolution &&
      aws_vpc_peering_connection_options.accepter.accepter[0].allow_remote_vpc_dns_resolution
    )
    error_message = "Each end must allow the other to resolve its names to private addresses."
  }

  assert {
    condition = (
      aws_vpc_peering_connection_options.requester.vpc_peering_connection_id == aws_vpc_peering_connection_accepter.this.id &&
      aws_vpc_peering_connection_options.accepter.vpc_peering_connection_id == aws_vpc_peering_connection_accepter.this.id
    )
    error_message = "Options are refused until the peering has been accepted."
  }

  # Every route table leads to the other range.
  assert {
    condition     = { for r in aws_route.requester : r.route_table_id => r.destination_cidr_block } == { for t in ["rtb-0a1", "rtb-0a2", "rtb-0a3"] : t => "10.1.0.0/16" }
    error_message = "The requester's tables lead to the accepter's range (CKV2_AWS_44)."
  }

  assert {
    condition     = { for r in aws_route.accepter : r.route_table_id => r.destination_cidr_block } == { for t in ["rtb-0b1", "rtb-0b2", "rtb-0b3"] : t => "10.0.0.0/16" }
    error_message = "The accepter's tables lead to the requester's range (CKV2_AWS_44)."
  }

  assert {
    condition     = alltrue([for r in concat(values(aws_route.requester), values(aws_route.accepter)) : r.vpc_peering_connection_id == aws_vpc_peering_connection_accepter.this.id])
    error_message = "A route before the peering was accepted would be a black hole."
  }

  # Routes are addressed by zone.
  assert {
    condition     = keys(aws_route.requester) == ["0", "1", "2"] && keys(aws_route.accepter) == ["0", "1", "2"]
    error_message = "A route's address must hold no id that AWS draws."
  }

  # Each vpc names the other regions rds api.
  assert {
    condition = (
      aws_route53_zone.requester_rds.name == "rds.us-west-2.amazonaws.com" &&
      aws_route53_zone.requester_rds.vpc == toset([{ vpc_id = "vpc-0aaa", vpc_region = "us-east-1" }]) &&
      aws_route53_zone.accepter_rds.name == "rds.us-east-1.amazonaws.com" &&
      aws_route53_zone.accepter_rds.vpc == toset([{ vpc_id = "vpc-0bbb", vpc_region = "us-west-2" }])
    )
    error_message = "Each VPC, and it alone, sees a zone for the other Region's RDS API."
  }

  assert {
    condition = (
      aws_route53_record.requester_rds.zone_id == aws_route53_zone.requester_rds.zone_id &&
      aws_route53_record.requester_rds.name == "rds.us-west-2.amazonaws.com" &&
      aws_route53_record.requester_rds.type == "A" &&
      aws_route53_record.requester_rds.alias[0].name == "vpce-0b.rds.us-west-2.vpce.amazonaws.com" &&
      aws_route53_record.requester_rds.alias[0].zone_id == "ZB"
    )
    error_message = "In the requester's VPC the name leads to the accepter's endpoint."
  }

  assert {
    condition = (
      aws_route53_record.accepter_rds.zone_id == aws_route53_zone.accepter_rds.zone_id &&
      aws_route53_record.accepter_rds.name == "rds.us-east-1.amazonaws.com" &&
      aws_route53_record.accepter_rds.type == "A" &&
      aws_route53_record.accepter_rds.alias[0].name == "vpce-0a.rds.us-east-1.vpce.amazonaws.com" &&
      aws_route53_record.accepter_rds.alias[0].zone_id == "ZA"
    )
    error_message = "In the accepter's VPC the name leads to the requester's endpoint."
  }

  # Each VPC names the other Region's DynamoDB, as package boot asks for it.
  assert {
    condition = (
      aws_route53_zone.requester_lease.vpc == toset([{ vpc_id = "vpc-0aaa", vpc_region = "us-east-1" }]) &&
      aws_route53_record.requester_lease.zone_id == aws_route53_zone.requester_lease.zone_id &&
      aws_route53_zone.requester_lease.name == "us-west-2.lifeboat.internal" &&
      aws_route53_record.requester_lease.name == "dynamodb.us-west-2.lifeboat.internal" &&
      aws_route53_record.requester_lease.type == "CNAME" &&
      aws_route53_record.requester_lease.records == toset(["vpce-0b-d1.dynamodb.us-west-2.vpce.amazonaws.com"])
    )
    error_message = "In the requester's VPC, and there alone, a CNAME leads to the accepter's endpoint: an alias would hide its name."
  }

  assert {
    condition = (
      aws_route53_zone.accepter_lease.vpc == toset([{ vpc_id = "vpc-0bbb", vpc_region = "us-west-2" }]) &&
      aws_route53_record.accepter_lease.zone_id == aws_route53_zone.accepter_lease.zone_id &&
      aws_route53_zone.accepter_lease.name == "us-east-1.lifeboat.internal" &&
      aws_route53_record.accepter_lease.name == "dynamodb.us-east-1.lifeboat.internal" &&
      aws_route53_record.accepter_lease.type == "CNAME" &&
      aws_route53_record.accepter_lease.records == toset(["vpce-0a-d1.dynamodb.us-east-1.vpce.amazonaws.com"])
    )
    error_message = "In the accepter's VPC, and there alone, a CNAME leads to the requester's endpoint: an alias would hide its name."
  }

  # No name tells a role.
  assert {
    condition = !can(regex("(?i)primary|secondary|writer|standby|master|slave", jsonencode([
      aws_vpc_peering_connection.this.tags, aws_vpc_peering_connection_accepter.this.tags,
      aws_route53_zone.requester_rds.comment, aws_route53_zone.accepter_rds.comment,
      aws_route53_zone.requester_lease.comment, aws_route53_zone.accepter_lease.comment,
    ])))
    error_message = "One failover makes a name that tells a role a lie."
  }
}
