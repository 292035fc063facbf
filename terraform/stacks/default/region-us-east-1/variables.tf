variable "name" {
  type        = string
  description = "Prefix of every name."
}

variable "default_tags" {
  type        = map(string)
  description = "Tags of everything."
}

variable "region" {
  type        = string
  description = "Region that this unit stands in."
}

variable "members" {
  type        = list(string)
  description = "Regions with a member of the global cluster."
}

variable "witness" {
  type        = string
  description = "Region that gives the lease its majority; null means none."
}

variable "cidr" {
  type        = string
  description = "Addresses of the VPC."
}

variable "peer_region" {
  type        = string
  description = "The other member Region."
}

variable "peer_cidr" {
  type        = string
  description = "Addresses of the other Region's VPC."
}

variable "engine_version" {
  type        = string
  description = "Aurora MySQL version, the same in every Region."
}

variable "bootstrap_region" {
  type        = string
  description = "Region whose cluster is created first and takes the master credentials. Without meaning once the clusters exist."
}

variable "database_name" {
  type        = string
  description = "Database that is created with the first cluster."
}

variable "master_username" {
  type        = string
  description = "Name of the master user."
}

variable "instance_count" {
  type        = number
  description = "Database instances in this Region."
}

variable "min_acu" {
  type        = number
  description = "Smallest capacity of an instance, in Aurora capacity units."
}

variable "max_acu" {
  type        = number
  description = "Largest capacity of an instance, in Aurora capacity units; the same in both Regions."
}

variable "backup_retention_days" {
  type        = number
  description = "Days that backups are kept."
}

variable "backup_window" {
  type        = string
  description = "Daily time of backups, UTC."
}

variable "maintenance_window" {
  type        = string
  description = "Weekly time of maintenance, UTC."
}

variable "production" {
  type        = bool
  description = "Whether the rules for production hold."
}

variable "deletion_protection" {
  type        = bool
  description = "Whether AWS refuses to delete the cluster."
}

variable "notification_emails" {
  type        = list(string)
  description = "Addresses that alarms are sent to; each must confirm AWS's mail once."
}

variable "thresholds" {
  type = object({
    replication_lag_ms = number
    cpu_percent        = number
    connections        = number
  })
  description = "What people are paged for. None of it starts a failover."
}

variable "architecture" {
  type        = string
  description = "Processor of the Lambda functions."
}

variable "packages" {
  type = object({
    health_monitor   = string
    failover_trigger = string
  })
  description = "Zip of each Lambda function, relative to this folder."
}

variable "policy" {
  type        = any
  description = "Lifeboat's dr.Policy: what counts as a lost Region, and what may be done about it."
}

variable "log_retention_days" {
  type        = number
  description = "Days that logs are kept."
}

variable "global" {
  type = object({
    global_cluster_identifier  = string
    writer_endpoint            = string
    master_secret_arns         = map(string)
    functions_secret_arns      = map(string)
    lease_table_name           = string
    key_arns                   = map(string)
    health_monitor_role_arns   = map(string)
    failover_trigger_role_arns = map(string)
    rds_monitoring_role_arn    = string
    flow_logs_role_arn         = string
  })
  description = "Outputs of the unit global."
}
