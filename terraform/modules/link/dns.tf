# The monitor of one Region asks the RDS API of the other through the peering. The SDK
# calls rds.<region>.amazonaws.com and checks the certificate against that name, so inside
# each VPC the other Region's name leads to the other VPC's interface endpoint. The name of
# a VPC's own Region is answered by its own endpoint.

resource "aws_route53_zone" "requester_rds" {
  provider = aws.requester

  name    = "rds.${var.accepter.region}.amazonaws.com"
  comment = "${var.name}: the RDS API of ${var.accepter.region} as seen from the VPC in ${var.requester.region}"

  vpc {
    vpc_id     = var.requester.vpc_id
    vpc_region = var.requester.region
  }
}

resource "aws_route53_zone" "accepter_rds" {
  provider = aws.accepter

  name    = "rds.${var.requester.region}.amazonaws.com"
  comment = "${var.name}: the RDS API of ${var.requester.region} as seen from the VPC in ${var.accepter.region}"

  vpc {
    vpc_id     = var.accepter.vpc_id
    vpc_region = var.accepter.region
  }
}

resource "aws_route53_record" "requester_rds" {
  #checkov:skip=CKV2_AWS_23:The alias leads to an interface endpoint in the state of the other Region's unit, which the scanner can't see
  provider = aws.requester

  zone_id = aws_route53_zone.requester_rds.zone_id
  name    = aws_route53_zone.requester_rds.name
  type    = "A"

  alias {
    name                   = var.accepter.rds_endpoint.dns_name
    zone_id                = var.accepter.rds_endpoint.hosted_zone_id
    evaluate_target_health = false # one target: there is no other to choose
  }
}

resource "aws_route53_record" "accepter_rds" {
  #checkov:skip=CKV2_AWS_23:The alias leads to an interface endpoint in the state of the other Region's unit, which the scanner can't see
  provider = aws.accepter

  zone_id = aws_route53_zone.accepter_rds.zone_id
  name    = aws_route53_zone.accepter_rds.name
  type    = "A"

  alias {
    name                   = var.requester.rds_endpoint.dns_name
    zone_id                = var.requester.rds_endpoint.hosted_zone_id
    evaluate_target_health = false # one target: there is no other to choose
  }
}

# Both replicas of the lease table are asked by the functions of either Region. DynamoDB's
# interface endpoints answer to their own names only, which nothing but this Terraform
# state knows. A CNAME and no alias: the functions need the name, for the address and for
# the certificate, and an alias would hide it. A zone below the Region's name, so that the
# zone of the database's names (module dns) may be lifeboat.internal or anything beside.

resource "aws_route53_zone" "requester_lease" {
  provider = aws.requester

  name    = "${var.accepter.region}.lifeboat.internal"
  comment = "${var.name}: DynamoDB of ${var.accepter.region} as seen from the VPC in ${var.requester.region}"

  vpc {
    vpc_id     = var.requester.vpc_id
    vpc_region = var.requester.region
  }
}

resource "aws_route53_zone" "accepter_lease" {
  provider = aws.accepter

  name    = "${var.requester.region}.lifeboat.internal"
  comment = "${var.name}: DynamoDB of ${var.requester.region} as seen from the VPC in ${var.accepter.region}"

  vpc {
    vpc_id     = var.accepter.vpc_id
    vpc_region = var.accepter.region
  }
}

resource "aws_route53_record" "requester_lease" {
  provider = aws.requester

  zone_id = aws_route53_zone.requester_lease.zone_id
  name    = "dynamodb.${aws_route53_zone.requester_lease.name}"
  type    = "CNAME"
  ttl     = 60 # as long as a function believes it
  records = [var.accepter.dynamodb_endpoint.dns_name]
}

resource "aws_route53_record" "accepter_lease" {
  provider = aws.accepter

  zone_id = aws_route53_zone.accepter_lease.zone_id
  name    = "dynamodb.${aws_route53_zone.accepter_lease.name}"
  type    = "CNAME"
  ttl     = 60 # as long as a function believes it
  records = [var.requester.dynamodb_endpoint.dns_name]
}
