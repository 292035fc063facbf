variable "name" {
  description = "Prefix of every name in the deployment: lifeboat-<suffix>, at most 29 characters."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^lifeboat-[a-z0-9][a-z0-9-]{0,18}[a-z0-9]$", var.name))
    error_message = "name must be lifeboat-<suffix>; the suffix has 2 to 20 lower-case letters, digits and hyphens and neither starts nor ends with a hyphen."
  }
}

variable "zone_name" {
  description = "Name of the private zone, for example \"prod.lifeboat.internal\"; the record is db.<zone_name>."
  type        = string

  validation {
    condition     = length(var.zone_name) <= 250 && can(regex("^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$", var.zone_name))
    error_message = "zone_name must be a domain name in lower case with at least two labels and without a final dot, such as \"prod.lifeboat.internal\"."
  }
}

variable "members" {
  description = "The two member Regions in order of preference: the first is answered when both sides are silent and neither has said anything yet. Keep the order; a failover does not change it."
  type        = list(string)

  validation {
    condition     = length(var.members) == 2 && length(distinct(var.members)) == 2
    error_message = "members must be exactly two different Regions."
  }
}

variable "vpc_ids" {
  description = "VPC of each member Region, by Region. The zone answers inside these two only."
  type        = map(string)

  validation {
    condition     = toset(keys(var.vpc_ids)) == toset(var.members)
    error_message = "vpc_ids must have one VPC for each member Region and no other key."
  }
}

variable "endpoints" {
  description = "Cluster endpoint of each member Region, by Region: what its record points to."
  type        = map(string)

  validation {
    condition     = toset(keys(var.endpoints)) == toset(var.members)
    error_message = "endpoints must have one cluster endpoint for each member Region and no other key."
  }
}

variable "role_alarm_names" {
  description = "By member Region: the name of the alarm, in the OTHER member Region, that says whether the writer is in this one (output role_alarm_names of module monitoring of the other Region)."
  type        = map(string)

  validation {
    condition     = toset(keys(var.role_alarm_names)) == toset(var.members)
    error_message = "role_alarm_names must have one alarm for each member Region and no other key."
  }
}

variable "role_alarm_definitions" {
  description = "By member Region: what that alarm compares (output role_alarm_definitions of module monitoring). A change makes Route 53 read the alarm again; without it a changed alarm is not noticed."
  type        = map(string)
  default     = {}
  nullable    = false
}
