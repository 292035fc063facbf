variable "name" {
  description = "Prefix of every name in the deployment: lifeboat-<suffix>, at most 29 characters."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^lifeboat-[a-z0-9][a-z0-9-]{0,18}[a-z0-9]$", var.name))
    error_message = "name must be lifeboat-<suffix>; the suffix has 2 to 20 lower-case letters, digits and hyphens and neither starts nor ends with a hyphen."
  }
}

variable "region" {
  description = "Region that this network stands in. The provider must stand there too."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region must be the name of an AWS Region, such as us-east-1."
  }
}

variable "cidr" {
  description = "IPv4 range of this VPC, /16 to /22. Each of the three subnets takes a sixteenth of it."
  type        = string
  nullable    = false

  validation {
    condition     = can(cidrhost(var.cidr, 0)) && can(regex("/(1[6-9]|2[0-2])$", var.cidr))
    error_message = "cidr must be an IPv4 range from /16 to /22, such as 10.0.0.0/16: AWS allows no VPC above /16, and below /22 a subnet is too small for its endpoints, functions and servers."
  }

  validation {
    condition     = try(cidrhost(var.cidr, 0) == split("/", var.cidr)[0], false)
    error_message = "cidr must start at the first address of its range: 10.0.0.0/16, not 10.0.0.1/16."
  }
}

variable "peer_cidr" {
  description = "IPv4 range of the VPC in peer_region, /16 to /22. It may not overlap cidr: AWS peers no overlapping VPCs."
  type        = string
  nullable    = false

  validation {
    condition     = can(cidrhost(var.peer_cidr, 0)) && can(regex("/(1[6-9]|2[0-2])$", var.peer_cidr))
    error_message = "peer_cidr must be an IPv4 range from /16 to /22, such as 10.1.0.0/16."
  }

  # Two ranges overlap if and only if they agree on the bits of the shorter prefix.
  validation {
    condition = try(
      cidrhost("${split("/", var.cidr)[0]}/${min(split("/", var.cidr)[1], split("/", var.peer_cidr)[1])}", 0) !=
      cidrhost("${split("/", var.peer_cidr)[0]}/${min(split("/", var.cidr)[1], split("/", var.peer_cidr)[1])}", 0),
      false
    )
    error_message = "peer_cidr overlaps cidr: choose a range that shares no address with it, such as 10.1.0.0/16 beside 10.0.0.0/16."
  }
}

variable "peer_region" {
  description = "Region at the other end of the peering; named in the descriptions of the rules that let it in."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.peer_region))
    error_message = "peer_region must be the name of an AWS Region, such as us-west-2."
  }

  validation {
    condition     = var.peer_region != var.region
    error_message = "peer_region must differ from region: two VPCs in one Region do not survive the loss of that Region."
  }
}

variable "key_arn" {
  description = "ARN of this Region's KMS key, which encrypts the flow logs. The account that the endpoint policies admit is read from it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:kms:${var.region}:[0-9]{12}:.+$", var.key_arn))
    error_message = "key_arn must be the ARN of a KMS key in this Region, arn:aws:kms:<region>:<account>:key/<id>: AWS encrypts with no other Region's."
  }
}

variable "flow_logs_role_arn" {
  description = "ARN of the role with which VPC Flow Logs writes to CloudWatch Logs."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:.+$", var.flow_logs_role_arn))
    error_message = "flow_logs_role_arn must be the ARN of an IAM role: arn:aws:iam::<account>:role/<name>."
  }
}

variable "log_retention_days" {
  description = "Days that flow logs are kept. One of the values that CloudWatch Logs accepts."
  type        = number
  default     = 365
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days must be one of CloudWatch Logs' values: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653."
  }
}

variable "exclude_zone_ids" {
  description = "Ids of zones to stay out of. The default is the zone of us-east-1 that lacks many services; elsewhere it matches nothing."
  type        = set(string)
  default     = ["use1-az3"]
  nullable    = false
}
