# What belongs to no Region: every key and role, the global cluster with its logins, and the
# lease that decides which Region may write.

data "aws_caller_identity" "current" {}

module "access" {
  source = "../../../modules/access"

  name       = var.name
  account_id = data.aws_caller_identity.current.account_id
  members    = var.members
  witness    = var.witness
}

module "database" {
  source = "../../../modules/database/global"

  name                 = var.name
  home_region          = var.home_region
  members              = var.members
  key_arns             = module.access.key_arns
  engine_version       = var.engine_version
  database_name        = var.database_name
  master_username      = var.master_username
  deletion_protection  = var.deletion_protection
  secret_recovery_days = var.secret_recovery_days
}

module "lease" {
  source = "../../../modules/lease"

  name                = var.name
  home_region         = var.home_region
  members             = var.members
  witness             = var.witness
  key_arns            = module.access.key_arns
  deletion_protection = var.deletion_protection
}
