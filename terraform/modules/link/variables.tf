variable "name" {
  description = "Prefix of every name in the deployment: lifeboat-<suffix>, at most 29 characters."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^lifeboat-[a-z0-9][a-z0-9-]{0,18}[a-z0-9]$", var.name))
    error_message = "name must be lifeboat-<suffix>; the suffix has 2 to 20 lower-case letters, digits and hyphens and neither starts nor ends with a hyphen."
  }
}

variable "requester" {
  description = "The VPC that asks for the peering: the outputs of its network module, and its Region. aws.requester stands there."
  nullable    = false

  type = object({
    region          = string
    vpc_id          = string
    vpc_cidr        = string
    route_table_ids = list(string)
    rds_endpoint = object({
      dns_name       = string
      hosted_zone_id = string
    })
    dynamodb_endpoint = object({ dns_name = string })
  })

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.requester.region))
    error_message = "requester.region must be the name of an AWS Region, such as us-east-1."
  }

  validation {
    condition     = can(cidrhost(var.requester.vpc_cidr, 0)) && can(regex("/(1[6-9]|2[0-8])$", var.requester.vpc_cidr))
    error_message = "requester.vpc_cidr must be an IPv4 range from /16 to /28, the sizes that AWS allows for a VPC: a wider route would send more than the VPC through the peering."
  }

  # No name is an endpoint that isn't ready, which the provider refuses.
  validation {
    condition     = var.requester.dynamodb_endpoint.dns_name == null || can(regex("^vpce-[0-9a-z-]+\\.dynamodb\\.${var.requester.region}\\.vpce\\.amazonaws\\.com$", var.requester.dynamodb_endpoint.dns_name))
    error_message = "requester.dynamodb_endpoint.dns_name must be the name that AWS gives to an interface endpoint of DynamoDB in requester.region, vpce-<id>.dynamodb.<region>.vpce.amazonaws.com: the functions send their signed requests to no other name."
  }

  validation {
    condition     = length(var.requester.route_table_ids) > 0 && length(distinct(var.requester.route_table_ids)) == length(var.requester.route_table_ids)
    error_message = "requester.route_table_ids must name at least one route table, and each once: a table that is left out has no way back to the other Region."
  }
}

variable "accepter" {
  description = "The VPC that accepts the peering: the outputs of its network module, and its Region. aws.accepter stands there."
  nullable    = false

  type = object({
    region          = string
    vpc_id          = string
    vpc_cidr        = string
    route_table_ids = list(string)
    rds_endpoint = object({
      dns_name       = string
      hosted_zone_id = string
    })
    dynamodb_endpoint = object({ dns_name = string })
  })

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.accepter.region))
    error_message = "accepter.region must be the name of an AWS Region, such as us-east-1."
  }

  validation {
    condition     = can(cidrhost(var.accepter.vpc_cidr, 0)) && can(regex("/(1[6-9]|2[0-8])$", var.accepter.vpc_cidr))
    error_message = "accepter.vpc_cidr must be an IPv4 range from /16 to /28, the sizes that AWS allows for a VPC: a wider route would send more than the VPC through the peering."
  }

  # No name is an endpoint that isn't ready, which the provider refuses.
  validation {
    condition     = var.accepter.dynamodb_endpoint.dns_name == null || can(regex("^vpce-[0-9a-z-]+\\.dynamodb\\.${var.accepter.region}\\.vpce\\.amazonaws\\.com$", var.accepter.dynamodb_endpoint.dns_name))
    error_message = "accepter.dynamodb_endpoint.dns_name must be the name that AWS gives to an interface endpoint of DynamoDB in accepter.region, vpce-<id>.dynamodb.<region>.vpce.amazonaws.com: the functions send their signed requests to no other name."
  }

  validation {
    condition     = length(var.accepter.route_table_ids) > 0 && length(distinct(var.accepter.route_table_ids)) == length(var.accepter.route_table_ids)
    error_message = "accepter.route_table_ids must name at least one route table, and each once: a table that is left out has no way back to the other Region."
  }

  validation {
    condition     = var.accepter.region != var.requester.region
    error_message = "accepter.region must differ from requester.region: this module peers two Regions."
  }

  # Two ranges overlap if and only if they agree on the bits of the shorter prefix.
  validation {
    condition = try(
      cidrhost("${split("/", var.requester.vpc_cidr)[0]}/${min(split("/", var.requester.vpc_cidr)[1], split("/", var.accepter.vpc_cidr)[1])}", 0) !=
      cidrhost("${split("/", var.accepter.vpc_cidr)[0]}/${min(split("/", var.requester.vpc_cidr)[1], split("/", var.accepter.vpc_cidr)[1])}", 0),
      false
    )
    error_message = "accepter.vpc_cidr overlaps requester.vpc_cidr: AWS peers no overlapping VPCs."
  }
}
