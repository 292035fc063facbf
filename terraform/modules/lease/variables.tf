variable "name" {
  description = "Prefix of every name in the deployment: lifeboat-<suffix>, at most 29 characters."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^lifeboat-[a-z0-9][a-z0-9-]{0,18}[a-z0-9]$", var.name))
    error_message = "name must be lifeboat-<suffix>; the suffix has 2 to 20 lower-case letters, digits and hyphens and neither starts nor ends with a hyphen."
  }
}

variable "home_region" {
  description = "Member Region through which the table is managed. It says nothing about who holds the lease, and is fixed for the life of the table: another value replaces it."
  type        = string
  nullable    = false

  validation {
    condition     = contains(var.members, var.home_region)
    error_message = "home_region must be one of members."
  }
}

variable "members" {
  description = "The two Regions with a replica of the table. Their order means nothing."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.members) == 2 && length(distinct(var.members)) == 2
    error_message = "members must name two different Regions."
  }
}

variable "witness" {
  description = "Third Region, which gives the table its majority. null goes without: the table is then eventually consistent, and no lock."
  type        = string
  default     = null

  validation {
    condition     = var.witness == null || !contains(var.members, coalesce(var.witness, "none"))
    error_message = "witness must be a third Region: with a member as witness, losing that member loses the majority."
  }

  # DynamoDB developer guide, how global tables work: all three within one Region set.
  validation {
    condition = var.witness == null || anytrue([
      for set in [
        ["us-east-1", "us-east-2", "us-west-2"],
        ["eu-west-1", "eu-west-2", "eu-west-3", "eu-central-1"],
        ["ap-northeast-1", "ap-northeast-2", "ap-northeast-3"],
      ] : length(setintersection(set, concat(var.members, [coalesce(var.witness, "none")]))) == 3
    ])
    error_message = "DynamoDB gives strong consistency within one Region set only: us-east-1, us-east-2, us-west-2; or three of eu-west-1, eu-west-2, eu-west-3, eu-central-1; or ap-northeast-1, -2 and -3. Choose members and witness from one of them, or set witness to null and read what is given up."
  }
}

variable "key_arns" {
  description = "ARN of the KMS key by Region; the members' are needed."
  type        = map(string)
  nullable    = false

  validation {
    condition     = length(setsubtract(var.members, keys(var.key_arns))) == 0
    error_message = "key_arns lacks a member: each replica is encrypted with a key of its own Region."
  }
}

variable "deletion_protection" {
  description = "Whether DynamoDB refuses to delete the table and its replica."
  type        = bool
  default     = true
  nullable    = false
}
