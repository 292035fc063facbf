variable "name" {
  description = "Prefix of every name in the deployment: lifeboat-<suffix>, at most 29 characters."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^lifeboat-[a-z0-9][a-z0-9-]{0,18}[a-z0-9]$", var.name))
    error_message = "name must be lifeboat-<suffix>; the suffix has 2 to 20 lower-case letters, digits and hyphens and neither starts nor ends with a hyphen."
  }
}

variable "account_id" {
  description = "AWS account of the deployment, 12 digits. It is part of every ARN in the policies."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id must be the 12 digits of an AWS account, as a string."
  }
}

variable "members" {
  description = "The two Regions with a member of the global cluster. Their order means nothing."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.members) == 2 && length(distinct(var.members)) == 2
    error_message = "members must name two different Regions."
  }

  validation {
    condition     = alltrue([for r in var.members : can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", r))])
    error_message = "members must be names of AWS Regions, such as us-east-1."
  }
}

variable "witness" {
  description = "Third Region, whose health monitor sees both members. null goes without: then only the members get a key and roles."
  type        = string
  default     = null

  validation {
    condition     = var.witness == null || can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.witness))
    error_message = "witness must be the name of an AWS Region, such as us-east-2, or null."
  }

  validation {
    condition     = var.witness == null || !contains(var.members, coalesce(var.witness, "none"))
    error_message = "witness must be a third Region: one that fails together with a member can't tell which member is left."
  }
}
