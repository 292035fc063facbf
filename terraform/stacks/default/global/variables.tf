variable "name" {
  type        = string
  description = "Prefix of every name."
}

variable "default_tags" {
  type        = map(string)
  description = "Tags of everything."
}

variable "home_region" {
  type        = string
  description = "Region in which the global cluster, the secrets and the table are managed. It says nothing about where the writer is."
}

variable "members" {
  type        = list(string)
  description = "Regions with a member of the global cluster."
}

variable "witness" {
  type        = string
  description = "Region that gives the lease its majority; null means none."
}

variable "engine_version" {
  type        = string
  description = "Aurora MySQL version, the same in every Region."
}

variable "database_name" {
  type        = string
  description = "Database that is created with the global cluster."
}

variable "master_username" {
  type        = string
  description = "Name of the master user."
}

variable "deletion_protection" {
  type        = bool
  description = "Whether AWS refuses to delete the global cluster and the lease table."
}

variable "secret_recovery_days" {
  type        = number
  description = "Days that a deleted secret can be brought back; 0 frees its name at once."
}
