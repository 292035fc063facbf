variable "name" {
  type        = string
  description = "Prefix of every name."
}

variable "default_tags" {
  type        = map(string)
  description = "Tags of everything."
}

variable "requester_region" {
  type        = string
  description = "Region at one end of the peering."
}

variable "accepter_region" {
  type        = string
  description = "Region at the other end of the peering."
}

variable "dns_zone" {
  type        = string
  description = "Name of the private zone."
}

variable "members" {
  type        = list(string)
  description = "Regions with a member of the global cluster."
}

variable "region_us_east_1" {
  type = object({
    vpc_id                 = string
    vpc_cidr               = string
    route_table_ids        = list(string)
    rds_endpoint           = object({ dns_name = string, hosted_zone_id = string })
    dynamodb_endpoint      = object({ dns_name = string })
    endpoint               = string
    role_alarm_names       = map(string)
    role_alarm_definitions = map(string)
  })
  description = "Outputs of the unit region-us-east-1."
}

variable "region_us_west_2" {
  type = object({
    vpc_id                 = string
    vpc_cidr               = string
    route_table_ids        = list(string)
    rds_endpoint           = object({ dns_name = string, hosted_zone_id = string })
    dynamodb_endpoint      = object({ dns_name = string })
    endpoint               = string
    role_alarm_names       = map(string)
    role_alarm_definitions = map(string)
  })
  description = "Outputs of the unit region-us-west-2."
}
