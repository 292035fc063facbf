# A group has the rules that are written below and no others: the provider removes the
# rule by which AWS lets everything out of a new group.

resource "aws_security_group" "database" {
  name        = "${var.name}-database"
  description = "Aurora: reached by the functions of this Region"
  vpc_id      = aws_vpc.this.id

  tags = { Name = "${var.name}-database" }
}

resource "aws_security_group" "functions" {
  name        = "${var.name}-functions"
  description = "Lambda functions: reach both databases and the APIs of AWS, accept no connections"
  vpc_id      = aws_vpc.this.id

  tags = { Name = "${var.name}-functions" }
}

resource "aws_security_group" "endpoints" {
  name        = "${var.name}-endpoints"
  description = "Interface endpoints: reached by the functions of this Region"
  vpc_id      = aws_vpc.this.id

  tags = { Name = "${var.name}-endpoints" }
}

# Groups can't be referred to across Regions, so what comes from the peer is let in by
# address, in groups of its own: the one on the database, the other on the endpoints of the
# RDS API and of DynamoDB.
resource "aws_security_group" "inter_region" {
  name        = "${var.name}-inter-region"
  description = "Aurora: reached from the peer Region through the peering"
  vpc_id      = aws_vpc.this.id

  tags = { Name = "${var.name}-inter-region" }
}

resource "aws_security_group" "inter_region_api" {
  name        = "${var.name}-inter-region-api"
  description = "RDS API and DynamoDB endpoints: reached from the peer Region through the peering"
  vpc_id      = aws_vpc.this.id

  tags = { Name = "${var.name}-inter-region-api" }
}

resource "aws_vpc_security_group_ingress_rule" "database_from_functions" {
  security_group_id            = aws_security_group.database.id
  description                  = "MySQL from the functions of ${var.region}"
  ip_protocol                  = "tcp"
  from_port                    = 3306
  to_port                      = 3306
  referenced_security_group_id = aws_security_group.functions.id
}

resource "aws_vpc_security_group_ingress_rule" "database_from_peer" {
  security_group_id = aws_security_group.inter_region.id
  description       = "MySQL from the VPC in ${var.peer_region}"
  ip_protocol       = "tcp"
  from_port         = 3306
  to_port           = 3306
  cidr_ipv4         = var.peer_cidr
}

resource "aws_vpc_security_group_ingress_rule" "endpoints_from_functions" {
  security_group_id            = aws_security_group.endpoints.id
  description                  = "HTTPS from the functions of ${var.region}"
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
  referenced_security_group_id = aws_security_group.functions.id
}

resource "aws_vpc_security_group_ingress_rule" "apis_from_peer" {
  security_group_id = aws_security_group.inter_region_api.id
  description       = "HTTPS from the VPC in ${var.peer_region}, whose functions ask the RDS API and DynamoDB of ${var.region}"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = var.peer_cidr
}

resource "aws_vpc_security_group_egress_rule" "functions_to_database" {
  security_group_id            = aws_security_group.functions.id
  description                  = "MySQL to the database of ${var.region}"
  ip_protocol                  = "tcp"
  from_port                    = 3306
  to_port                      = 3306
  referenced_security_group_id = aws_security_group.database.id
}

resource "aws_vpc_security_group_egress_rule" "functions_to_peer_database" {
  security_group_id = aws_security_group.functions.id
  description       = "MySQL to the database of ${var.peer_region}"
  ip_protocol       = "tcp"
  from_port         = 3306
  to_port           = 3306
  cidr_ipv4         = var.peer_cidr
}

resource "aws_vpc_security_group_egress_rule" "functions_to_endpoints" {
  security_group_id            = aws_security_group.functions.id
  description                  = "HTTPS to the interface endpoints of ${var.region}"
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
  referenced_security_group_id = aws_security_group.endpoints.id
}

resource "aws_vpc_security_group_egress_rule" "functions_to_dynamodb" {
  security_group_id = aws_security_group.functions.id
  description       = "HTTPS to DynamoDB in ${var.region} through the gateway endpoint"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  prefix_list_id    = aws_vpc_endpoint.dynamodb.prefix_list_id
}

resource "aws_vpc_security_group_egress_rule" "functions_to_peer_apis" {
  security_group_id = aws_security_group.functions.id
  description       = "HTTPS to the RDS API and DynamoDB endpoints of ${var.peer_region}"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = var.peer_cidr
}
