variable "name" {
  description = "Prefix of every name in the deployment: lifeboat-<suffix>, at most 29 characters. It is the global cluster's identifier."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^lifeboat-[a-z0-9][a-z0-9-]{0,18}[a-z0-9]$", var.name)) && !strcontains(var.name, "--")
    error_message = "name must be lifeboat-<suffix>; the suffix has 2 to 20 lower-case letters, digits and hyphens and neither starts nor ends with a hyphen. RDS takes no two hyphens in a row."
  }
}

variable "home_region" {
  description = "Member Region through which global cluster and secret are managed. It says nothing about where the writer is, and is fixed: another value replaces both."
  type        = string
  nullable    = false

  validation {
    condition     = contains(var.members, var.home_region)
    error_message = "home_region must be one of members."
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
}

variable "key_arns" {
  description = "ARN of the KMS key by Region; the members' encrypt the secret and its replica."
  type        = map(string)
  nullable    = false

  validation {
    condition     = length(setsubtract(var.members, keys(var.key_arns))) == 0
    error_message = "key_arns lacks a member: each copy of the secret is encrypted with a key of its own Region."
  }
}

variable "engine_version" {
  description = "Aurora MySQL version, down to the patch: managed failover wants the same one in both Regions. At least 3.06, which knows mysql.rds_set_read_only."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^8\\.0\\.mysql_aurora\\.3\\.(0[6-9]|[1-9][0-9])\\.([0-9]|[1-9][0-9])$", var.engine_version))
    error_message = "engine_version must be a full Aurora MySQL 3 version of at least 3.06, such as 8.0.mysql_aurora.3.10.4."
  }
}

variable "database_name" {
  description = "Database that is created with the first member. Of no effect later."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z][A-Za-z0-9_]{0,63}$", var.database_name)) && !contains(["mysql", "information_schema", "performance_schema", "sys"], lower(var.database_name))
    error_message = "database_name must have 1 to 64 letters, digits and underscores, a letter first, and be no database of the server's own."
  }
}

variable "master_username" {
  description = "Name of the master user, kept beside the password. Applications must not use it: Aurora's read_only does not bind it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z][A-Za-z0-9]{0,15}$", var.master_username)) && !contains(["root", "mysql", "rdsadmin", "rdsproxyadmin", "rdsrepladmin", "rdstopmgr"], lower(var.master_username))
    error_message = "master_username must have 1 to 16 letters and digits, a letter first, and be no user of the server's own."
  }

  validation {
    condition     = lower(var.master_username) != local.functions_username
    error_message = "master_username must not be the functions' user: read_only, the fence, doesn't bind the master user, so a probe with it would find every fenced writer open."
  }
}

variable "deletion_protection" {
  description = "Whether RDS refuses to delete the global cluster."
  type        = bool
  default     = true
  nullable    = false
}

variable "secret_recovery_days" {
  description = "Days in which a deleted secret can be restored: 7 to 30, or 0 to delete it at once."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.secret_recovery_days == 0 || (var.secret_recovery_days >= 7 && var.secret_recovery_days <= 30)
    error_message = "secret_recovery_days must be 0 or between 7 and 30."
  }
}
