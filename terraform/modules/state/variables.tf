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
  description = "Id of the account that owns buckets and keys: 12 digits."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id must have 12 digits; keep it in quotes, or leading zeros are lost."
  }
}

variable "bucket" {
  description = "Base name of the pair: the buckets are <bucket>-<region>. At most 48 characters, unique in all of AWS together with the Region."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,46}[a-z0-9]$", var.bucket))
    error_message = "bucket must have 3 to 48 lower-case letters, digits and hyphens and neither start nor end with a hyphen: with the Region's name it must fit into S3's 63 characters."
  }
}

variable "regions" {
  description = "The two Regions that hold a bucket. aws.first stands in the first, aws.second in the second."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.regions) == 2 && length(distinct(var.regions)) == 2
    error_message = "regions must be two different Regions: a pair in one Region is lost with it."
  }

  validation {
    condition     = alltrue([for r in var.regions : can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", r))])
    error_message = "regions must be names of AWS Regions, such as us-east-1."
  }
}

variable "version_retention_days" {
  description = "Days that an overwritten or deleted version of a state is kept. The newest ten are kept however old they are."
  type        = number
  default     = 365
  nullable    = false

  validation {
    condition     = var.version_retention_days >= 30 && floor(var.version_retention_days) == var.version_retention_days
    error_message = "version_retention_days must be a whole number of at least 30: the versions are the only backup of a state."
  }
}

variable "access_log_buckets" {
  description = "Region → bucket of that Region and account that takes the access logs. Empty: no access logs are written."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = length(setsubtract(keys(var.access_log_buckets), var.regions)) == 0
    error_message = "access_log_buckets names a Region that holds no state bucket: S3 logs into a bucket of the same Region."
  }
}
