# What joins us-east-1 and us-west-2: peering, routes and names. A failover changes none of
# it.

module "link" {
  source = "../../../modules/link"
  providers = {
    aws.requester = aws.requester
    aws.accepter  = aws.accepter
  }

  name = var.name
  requester = {
    region            = var.requester_region
    vpc_id            = var.region_us_east_1.vpc_id
    vpc_cidr          = var.region_us_east_1.vpc_cidr
    route_table_ids   = var.region_us_east_1.route_table_ids
    rds_endpoint      = var.region_us_east_1.rds_endpoint
    dynamodb_endpoint = var.region_us_east_1.dynamodb_endpoint
  }
  accepter = {
    region            = var.accepter_region
    vpc_id            = var.region_us_west_2.vpc_id
    vpc_cidr          = var.region_us_west_2.vpc_cidr
    route_table_ids   = var.region_us_west_2.route_table_ids
    rds_endpoint      = var.region_us_west_2.rds_endpoint
    dynamodb_endpoint = var.region_us_west_2.dynamodb_endpoint
  }
}

module "dns" {
  source = "../../../modules/dns"

  name      = var.name
  zone_name = var.dns_zone
  members   = var.members
  vpc_ids = {
    (var.requester_region) = var.region_us_east_1.vpc_id
    (var.accepter_region)  = var.region_us_west_2.vpc_id
  }
  endpoints = {
    (var.requester_region) = var.region_us_east_1.endpoint
    (var.accepter_region)  = var.region_us_west_2.endpoint
  }
  role_alarm_names = {
    (var.requester_region) = var.region_us_west_2.role_alarm_names[var.requester_region]
    (var.accepter_region)  = var.region_us_east_1.role_alarm_names[var.accepter_region]
  }
  role_alarm_definitions = {
    (var.requester_region) = var.region_us_west_2.role_alarm_definitions[var.requester_region]
    (var.accepter_region)  = var.region_us_east_1.role_alarm_definitions[var.accepter_region]
  }
}
