variable "name" {
  description = "Prefix of every name in the deployment: lifeboat-<suffix>, at most 29 characters."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^lifeboat-[a-z0-9][a-z0-9-]{0,18}[a-z0-9]$", var.name)) && !strcontains(var.name, "--")
    error_message = "name must be lifeboat-<suffix>; the suffix has 2 to 20 lower-case letters, digits and hyphens and neither starts nor ends with a hyphen. RDS takes no two hyphens in a row."
  }
}

variable "region" {
  description = "Region that this member stands in. The provider must stand there too."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region must be the name of an AWS Region, such as us-east-1."
  }
}

variable "global_cluster_identifier" {
  description = "Identifier of the global cluster that this member joins when it is created. Of no effect later: nothing here detaches a member."
  type        = string
  nullable    = false

  validation {
    condition     = length(var.global_cluster_identifier) > 0
    error_message = "global_cluster_identifier is empty: a cluster outside the global cluster could never take over."
  }
}

variable "bootstrap_region" {
  description = "Region that has the writer at the time a cluster is created: this one for the very first cluster, which takes the master login, else the one to replicate from. Of no effect on a cluster that exists."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.bootstrap_region))
    error_message = "bootstrap_region must be the name of an AWS Region, such as us-east-1."
  }
}

variable "master_username" {
  description = "Name of the master user; the first cluster is created with it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z][A-Za-z0-9]{0,15}$", var.master_username)) && !contains(["root", "mysql", "rdsadmin", "rdsproxyadmin", "rdsrepladmin", "rdstopmgr"], lower(var.master_username))
    error_message = "master_username must have 1 to 16 letters and digits, a letter first, and be no user of the server's own."
  }
}

variable "database_name" {
  description = "Database that is created with the first cluster. null leaves it to the global cluster. Of no effect later."
  type        = string
  default     = null

  validation {
    condition     = var.database_name == null || can(regex("^[A-Za-z][A-Za-z0-9_]{0,63}$", var.database_name))
    error_message = "database_name must have 1 to 64 letters, digits and underscores, a letter first."
  }
}

variable "secret_arn" {
  description = "ARN of the master login in this Region's Secrets Manager: the secret itself or its copy. Read only where region is bootstrap_region."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:secretsmanager:${var.region}:[0-9]{12}:.+$", var.secret_arn))
    error_message = "secret_arn must be the ARN of a secret in this Region, arn:aws:secretsmanager:<region>:<account>:secret:<name>: another Region's can't be read while that Region is dark."
  }
}

variable "engine_version" {
  description = "Aurora MySQL version that the cluster is created with: the global cluster's, down to the patch. Upgrades go through the global cluster."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^8\\.0\\.mysql_aurora\\.3\\.(0[6-9]|[1-9][0-9])\\.([0-9]|[1-9][0-9])$", var.engine_version))
    error_message = "engine_version must be a full Aurora MySQL 3 version of at least 3.06, such as 8.0.mysql_aurora.3.10.4."
  }
}

variable "key_arn" {
  description = "ARN of this Region's KMS key: storage, logs and Performance Insights."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:kms:${var.region}:[0-9]{12}:.+$", var.key_arn))
    error_message = "key_arn must be the ARN of a KMS key in this Region, arn:aws:kms:<region>:<account>:key/<id>: AWS encrypts with no other Region's."
  }
}

variable "rds_monitoring_role_arn" {
  description = "ARN of the role of RDS Enhanced Monitoring."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:.+$", var.rds_monitoring_role_arn))
    error_message = "rds_monitoring_role_arn must be the ARN of an IAM role: arn:aws:iam::<account>:role/<name>."
  }
}

variable "subnet_ids" {
  description = "Private subnets for the instances, at least two and in different zones."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "subnet_ids needs at least two subnets in different zones: RDS refuses fewer."
  }
}

variable "security_group_ids" {
  description = "Security groups of the instances."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.security_group_ids) > 0
    error_message = "security_group_ids is empty: RDS would take the VPC's default group, which admits no client."
  }
}

variable "production" {
  description = "Whether the rules for production hold: at least two instances, a final snapshot, and automated backups that outlive the cluster."
  type        = bool
  default     = true
  nullable    = false
}

variable "instance_count" {
  description = "Number of instances, 1 to 16; in production at least 2. All are alike, any of them can become the writer of this Region."
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition     = var.instance_count >= 1 && var.instance_count <= 16 && floor(var.instance_count) == var.instance_count
    error_message = "instance_count must be a whole number from 1 to 16. Without an instance a member can't be failed over to."
  }

  validation {
    condition     = !var.production || var.instance_count >= 2
    error_message = "instance_count must be at least 2 in production: with one, the loss of a zone or a restart is an outage. Set production = false for anything else."
  }
}

variable "min_acu" {
  description = "Least capacity of an instance in Aurora capacity units (2 GiB each), 0.5 to 256 in half steps. AWS recommends 8 for a global database."
  type        = number
  default     = 0.5
  nullable    = false

  # Aurora Serverless v2 never pauses in a global database, so 0 would buy nothing.
  validation {
    condition     = var.min_acu >= 0.5 && var.min_acu <= 256 && floor(var.min_acu * 2) == var.min_acu * 2
    error_message = "min_acu must be between 0.5 and 256, in half steps."
  }
}

variable "max_acu" {
  description = "Largest capacity of an instance in Aurora capacity units, 1 to 256 in half steps. Give both Regions the same: each must carry the other's load, and max_connections follows from it."
  type        = number
  default     = 16
  nullable    = false

  validation {
    condition     = var.max_acu >= 1 && var.max_acu <= 256 && floor(var.max_acu * 2) == var.max_acu * 2
    error_message = "max_acu must be between 1 and 256, in half steps."
  }

  validation {
    condition     = var.max_acu >= var.min_acu
    error_message = "max_acu is below min_acu."
  }
}

variable "backup_retention_days" {
  description = "Days that automated backups are kept, 1 to 35. The snapshot that Aurora takes of a lost volume after a failover lives no longer."
  type        = number
  default     = 7
  nullable    = false

  validation {
    condition     = var.backup_retention_days >= 1 && var.backup_retention_days <= 35 && floor(var.backup_retention_days) == var.backup_retention_days
    error_message = "backup_retention_days must be a whole number from 1 to 35."
  }
}

variable "backup_window" {
  description = "Daily window of backups, hh:mm-hh:mm in UTC, at least 30 minutes and clear of maintenance_window."
  type        = string
  default     = "03:00-04:00"
  nullable    = false

  validation {
    condition     = can(regex("^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$", var.backup_window))
    error_message = "backup_window must be hh:mm-hh:mm in UTC, such as 03:00-04:00."
  }
}

variable "maintenance_window" {
  description = "Weekly window of maintenance, ddd:hh:mm-ddd:hh:mm in UTC, at least 30 minutes."
  type        = string
  default     = "mon:04:00-mon:05:00"
  nullable    = false

  validation {
    condition     = can(regex("^(mon|tue|wed|thu|fri|sat|sun):([01][0-9]|2[0-3]):[0-5][0-9]-(mon|tue|wed|thu|fri|sat|sun):([01][0-9]|2[0-3]):[0-5][0-9]$", var.maintenance_window))
    error_message = "maintenance_window must be ddd:hh:mm-ddd:hh:mm in UTC and lower case, such as mon:04:00-mon:05:00."
  }
}

variable "deletion_protection" {
  description = "Whether RDS refuses to delete the cluster."
  type        = bool
  default     = true
  nullable    = false
}

variable "log_retention_days" {
  description = "Days that the database's logs are kept. One of the values that CloudWatch Logs accepts."
  type        = number
  default     = 365
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days must be one of CloudWatch Logs' values: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653."
  }
}
