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
  description = "Region that this module stands in: a member, or the witness if it is none of members."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region must be an AWS Region's code, such as \"us-east-1\"."
  }
}

variable "account_id" {
  description = "AWS account, 12 digits: the only one whose alarms may publish."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id must be 12 digits."
  }
}

variable "key_arn" {
  description = "KMS key of this Region for the topic. Its policy must admit cloudwatch.amazonaws.com, or no alarm gets out (module access)."
  type        = string

  validation {
    condition     = can(regex("^arn:aws:kms:${var.region}:", var.key_arn))
    error_message = "key_arn must be the ARN of a KMS key in the module's own Region."
  }
}

variable "members" {
  description = "The two Regions that hold a member cluster."
  type        = list(string)

  validation {
    condition     = length(var.members) == 2 && length(distinct(var.members)) == 2
    error_message = "members must be exactly two different Regions."
  }
}

variable "global_cluster_identifier" {
  description = "Identifier of the Aurora global database: a dimension of Lifeboat's metrics."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,62}$", var.global_cluster_identifier))
    error_message = "global_cluster_identifier must be an RDS identifier: lower-case letters, digits and hyphens, at most 63."
  }
}

variable "cluster_identifier" {
  description = "Identifier of this Region's cluster. Null in the witness."
  type        = string
  default     = null

  validation {
    condition     = contains(var.members, var.region) == (var.cluster_identifier != null)
    error_message = "cluster_identifier is required in a member Region and must be null in the witness, which has no cluster."
  }
}

variable "notification_emails" {
  description = "Addresses that are told; each must confirm AWS's mail once. Empty is allowed, and warned about."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for address in var.notification_emails : can(regex("^[^@[:space:]]+@[^@[:space:]]+\\.[^@[:space:]]+$", address))])
    error_message = "notification_emails must be e-mail addresses."
  }
}

variable "thresholds" {
  description = "What people are paged for, never a reason to fail over: replication_lag_ms (default 500), cpu_percent (default 80), connections to one instance (default 100)."
  type = object({
    replication_lag_ms = optional(number, 500)
    cpu_percent        = optional(number, 80)
    connections        = optional(number, 100)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.thresholds.replication_lag_ms > 0 && var.thresholds.replication_lag_ms <= 60000
    error_message = "thresholds.replication_lag_ms must be above 0 and at most 60000."
  }

  validation {
    condition     = var.thresholds.cpu_percent > 0 && var.thresholds.cpu_percent < 100
    error_message = "thresholds.cpu_percent must be between 0 and 100: at 100 the alarm could never be above it."
  }

  validation {
    condition     = var.thresholds.connections >= 1 && var.thresholds.connections <= 16000
    error_message = "thresholds.connections must be between 1 and 16000, Aurora MySQL's limit."
  }
}

variable "function_names" {
  description = "Lambda functions of this Region (module failover); each gets alarms on errors and throttles."
  type        = list(string)

  validation {
    condition     = contains(var.function_names, "${var.name}-health-monitor")
    error_message = "function_names must hold the health monitor, <name>-health-monitor, which exists in every Region."
  }
}

variable "dead_letter_queue_name" {
  description = "Queue of invocations that were given up (module failover)."
  type        = string
}
