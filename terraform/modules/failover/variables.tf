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
  description = "Region that this module stands in: a member or the witness."
  type        = string

  validation {
    condition     = contains(compact(concat(var.members, [var.witness])), var.region)
    error_message = "region must be one of the members or the witness."
  }
}

variable "account_id" {
  description = "AWS account, 12 digits: the only one whose alarm may invoke the trigger."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id must be 12 digits."
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

variable "witness" {
  description = "Third Region that gives the lease its majority; null for none."
  type        = string
  default     = null

  validation {
    condition     = !contains(var.members, coalesce(var.witness, "none"))
    error_message = "witness must be a third Region, not one of the members."
  }
}

variable "key_arn" {
  description = "KMS key of this Region: logs, environment, dead letters. Its policy must admit logs, lambda's roles and SQS's senders (module access)."
  type        = string

  validation {
    condition     = can(regex("^arn:aws:kms:${var.region}:", var.key_arn))
    error_message = "key_arn must be the ARN of a KMS key in the module's own Region."
  }
}

variable "health_monitor_role_arn" {
  description = "Role of the health monitor in this Region (module access). It must allow sqs:SendMessage to <name>-dead-letters."
  type        = string

  validation {
    condition     = can(regex("^arn:aws:iam::[0-9]{12}:role/", var.health_monitor_role_arn))
    error_message = "health_monitor_role_arn must be the ARN of an IAM role."
  }
}

variable "failover_trigger_role_arn" {
  description = "Role of the failover trigger in this Region (module access), null in the witness. It must allow sqs:SendMessage to <name>-dead-letters."
  type        = string
  default     = null

  validation {
    condition     = contains(var.members, var.region) ? can(regex("^arn:aws:iam::[0-9]{12}:role/", var.failover_trigger_role_arn)) : var.failover_trigger_role_arn == null
    error_message = "failover_trigger_role_arn must be the ARN of an IAM role in a member Region, and null in the witness, which never moves the writer."
  }
}

variable "packages" {
  description = "Paths of the zips that `make lambdas` builds, for the architecture that is deployed. The witness needs the monitor's only."
  type = object({
    health_monitor   = string
    failover_trigger = optional(string)
  })

  validation {
    condition     = !contains(var.members, var.region) || var.packages.failover_trigger != null
    error_message = "packages.failover_trigger is required in a member Region."
  }
}

variable "architecture" {
  description = "Instruction set of the functions, \"arm64\" or \"x86_64\"; the packages must be built for it."
  type        = string
  default     = "arm64"

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "architecture must be \"arm64\" or \"x86_64\"."
  }
}

variable "network" {
  description = "Where a member's functions stand: its private subnets and the functions' security groups. Null in the witness, which has no VPC."
  type = object({
    subnet_ids         = list(string)
    security_group_ids = list(string)
  })
  default = null

  validation {
    condition     = contains(var.members, var.region) == (var.network != null)
    error_message = "network is required in a member Region, whose functions must reach the database, and must be null in the witness."
  }

  validation {
    condition     = var.network == null || try(length(var.network.subnet_ids) >= 2 && length(var.network.security_group_ids) >= 1, false)
    error_message = "network needs at least two subnets (one zone may be lost) and one security group."
  }
}

variable "global_cluster_identifier" {
  description = "Identifier of the Aurora global database."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,62}$", var.global_cluster_identifier))
    error_message = "global_cluster_identifier must be an RDS identifier: lower-case letters, digits and hyphens, at most 63."
  }
}

variable "lease_table_name" {
  description = "DynamoDB table of the lease, the journal and the heartbeats."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9_.-]{3,255}$", var.lease_table_name))
    error_message = "lease_table_name must be a DynamoDB table name."
  }
}

variable "topic_arn" {
  description = "Topic of this Region that people are told by."
  type        = string

  validation {
    condition     = can(regex("^arn:aws:sns:${var.region}:[0-9]{12}:.+$", var.topic_arn))
    error_message = "topic_arn must be the ARN of a topic in the module's own Region: a topic in the lost Region delivers nothing."
  }
}

variable "database_endpoint" {
  description = "Cluster endpoint of this Region's member, without port. Null in the witness, which asks no SQL."
  type        = string
  default     = null

  validation {
    condition     = contains(var.members, var.region) == (var.database_endpoint != null)
    error_message = "database_endpoint is required in a member Region and must be null in the witness."
  }

  validation {
    condition     = var.database_endpoint == null || can(regex("^[A-Za-z0-9][A-Za-z0-9.-]+$", var.database_endpoint))
    error_message = "database_endpoint must be a host name, without port."
  }
}

variable "reader_endpoint" {
  description = "Reader endpoint of this Region's member, without port: where a secondary is asked, whose cluster endpoint is inactive. Null in the witness."
  type        = string
  default     = null

  validation {
    condition     = contains(var.members, var.region) == (var.reader_endpoint != null)
    error_message = "reader_endpoint is required in a member Region and must be null in the witness, which asks no SQL."
  }

  validation {
    condition     = var.reader_endpoint == null || can(regex("^[A-Za-z0-9][A-Za-z0-9.-]+$", var.reader_endpoint))
    error_message = "reader_endpoint must be a host name, without port."
  }
}

variable "writer_endpoint" {
  description = "Aurora's global writer endpoint, without port: through it a move of the writer is proven. Null in the witness."
  type        = string
  default     = null

  validation {
    condition     = contains(var.members, var.region) == (var.writer_endpoint != null)
    error_message = "writer_endpoint is required in a member Region and must be null in the witness, which never moves the writer."
  }

  validation {
    condition     = var.writer_endpoint == null || can(regex("^[A-Za-z0-9][A-Za-z0-9.-]+$", var.writer_endpoint))
    error_message = "writer_endpoint must be a host name, without port."
  }
}

variable "master_secret_arn" {
  description = "This Region's copy of the master login, for the monitor, which fences with it. Null in the witness."
  type        = string
  default     = null

  validation {
    condition     = contains(var.members, var.region) == (var.master_secret_arn != null)
    error_message = "master_secret_arn is required in a member Region and must be null in the witness."
  }

  validation {
    condition     = var.master_secret_arn == null || can(regex("^arn:aws:secretsmanager:${var.region}:[0-9]{12}:.+$", var.master_secret_arn))
    error_message = "master_secret_arn must be the ARN of the secret or its copy in the module's own Region: the other can't be read when that Region is dark."
  }

  validation {
    condition     = var.master_secret_arn == null || var.master_secret_arn != var.secret_arn
    error_message = "master_secret_arn must not be secret_arn: read_only, the fence, doesn't bind the master user, so a probe with its login would find every fenced writer open."
  }
}

variable "secret_arn" {
  description = "This Region's copy of the login of the functions' own user, which the fence binds. Null in the witness, which asks no SQL."
  type        = string
  default     = null

  validation {
    condition     = contains(var.members, var.region) == (var.secret_arn != null)
    error_message = "secret_arn is required in a member Region and must be null in the witness."
  }

  validation {
    condition     = var.secret_arn == null || can(regex("^arn:aws:secretsmanager:${var.region}:[0-9]{12}:.+$", var.secret_arn))
    error_message = "secret_arn must be the ARN of the secret or its copy in the module's own Region: the other can't be read when that Region is dark."
  }
}

variable "policy" {
  description = "dr.Policy as JSON; \"{}\" means every default. At most 3072 bytes: Lambda allows 4 KB for the whole environment."
  type        = string
  default     = "{}"

  validation {
    condition     = length(var.policy) <= 3072 && can(keys(jsondecode(var.policy)))
    error_message = "policy must be a JSON object of at most 3072 bytes."
  }
}

variable "log_retention_days" {
  description = "Days that logs are kept. Default 365; one of CloudWatch's values."
  type        = number
  default     = 365

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days must be one of the values that CloudWatch Logs allows, such as 365."
  }
}
