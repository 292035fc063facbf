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
  description = "Region that gives the lease its majority."
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
