# There is no NAT and no internet gateway: a service without an endpoint here can't be
# called from this VPC, and a call to it hangs until its timeout.

locals {
  account_id = split(":", var.key_arn)[4]

  # What the functions call, and whether a call can name a resource of another account.
  # A metric, a log stream, a cluster identifier always mean the caller's own account, and
  # a condition on aws:ResourceAccount fails where a request has no resource to take it
  # from: here that would disable the failover it is meant to guard.
  interface_services = {
    lambda         = true
    logs           = false
    monitoring     = false
    rds            = false
    secretsmanager = true
    sns            = true
  }

  # Who may use an endpoint: principals of this account, and only on this account's
  # resources, so that it is no way out for data. What each may do is for its role to say.
  endpoint_policies = {
    for service, nameable in merge(local.interface_services, { dynamodb = true }) :
    service => jsonencode({
      Version = "2012-10-17"
      Statement = [{
        Sid       = "OwnAccountOnly"
        Effect    = "Allow"
        Principal = { AWS = "*" }
        Action    = "${service == "monitoring" ? "cloudwatch" : service}:*"
        Resource  = "*"
        Condition = {
          StringEquals = merge(
            { "aws:PrincipalAccount" = local.account_id },
            nameable ? { "aws:ResourceAccount" = local.account_id } : {}
          )
        }
      }]
    })
  }

  # The name that resolves to all zones: vpce-<id>-<suffix>.rds.<region>.…; the list also
  # holds one name per zone, with the zone as a third part, and the private name.
  rds_endpoint_names = [
    for entry in aws_vpc_endpoint.interface["rds"].dns_entry : entry
    if can(regex("^vpce-[0-9a-z]+-[0-9a-z]+\\.", entry.dns_name))
  ]
  dynamodb_endpoint_names = [
    for entry in aws_vpc_endpoint.peer_dynamodb.dns_entry : entry.dns_name
    if can(regex("^vpce-[0-9a-z]+-[0-9a-z]+\\.dynamodb\\.", entry.dns_name))
  ]
}

resource "aws_vpc_endpoint" "interface" {
  for_each = local.interface_services

  vpc_id              = aws_vpc.this.id
  vpc_endpoint_type   = "Interface"
  service_name        = "com.amazonaws.${var.region}.${each.key}"
  subnet_ids          = local.subnet_ids
  private_dns_enabled = true
  policy              = local.endpoint_policies[each.key]

  security_group_ids = concat(
    [aws_security_group.endpoints.id],
    each.key == "rds" ? [aws_security_group.inter_region_api.id] : []
  )

  tags = { Name = "${var.name}-${each.key}" }
}

resource "aws_vpc_endpoint" "dynamodb" {
  vpc_id            = aws_vpc.this.id
  vpc_endpoint_type = "Gateway"
  service_name      = "com.amazonaws.${var.region}.dynamodb"
  route_table_ids   = local.route_table_ids
  policy            = local.endpoint_policies["dynamodb"]

  tags = { Name = "${var.name}-dynamodb" }
}

# The way by which the peer Region reaches this Region's replica of the lease table: a
# gateway is no use from outside the VPC, an interface is (DynamoDB developer guide, AWS
# PrivateLink for DynamoDB). Without a private name, so that this Region's functions keep
# using the gateway, which costs nothing; the link unit publishes the endpoint's own name.
resource "aws_vpc_endpoint" "peer_dynamodb" {
  vpc_id              = aws_vpc.this.id
  vpc_endpoint_type   = "Interface"
  service_name        = "com.amazonaws.${var.region}.dynamodb"
  subnet_ids          = local.subnet_ids
  private_dns_enabled = false
  policy              = local.endpoint_policies["dynamodb"]
  security_group_ids  = [aws_security_group.inter_region_api.id]

  tags = { Name = "${var.name}-dynamodb-inter-region" }
}
