variable "name" {
  description = "Prefix of every name in the deployment."
  type        = string
  nullable    = false
}

variable "account_id" {
  description = "Id of the account that owns bucket and key."
  type        = string
  nullable    = false
}

variable "region" {
  description = "Region of this bucket. The provider stands there."
  type        = string
  nullable    = false
}

variable "bucket" {
  description = "Full name of the bucket."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.bucket))
    error_message = "The bucket's name has more than S3's 63 characters, or others than lower-case letters, digits and hyphens: shorten the base name."
  }
}

variable "replica" {
  description = "The other bucket of the pair: its Region, its ARN once it is versioned, its key."
  nullable    = false

  type = object({
    region     = string
    bucket_arn = string
    key_arn    = string
  })
}

variable "replication_role_arn" {
  description = "ARN of the role with which S3 replicates."
  type        = string
  nullable    = false
}

variable "version_retention_days" {
  description = "Days that a version which is no longer current is kept."
  type        = number
  nullable    = false
}

variable "access_log_bucket" {
  description = "Bucket of this Region that takes the access logs, or null."
  type        = string
  default     = null
}
