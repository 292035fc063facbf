# Rendered by Lifeboat from its config. Change the config and render again; what you change
# here is overwritten.

name = "lifeboat-demo"
default_tags = {
  "lifeboat:environment" = "demo"
}
home_region = "us-east-1"
members = [
  "us-east-1",
  "us-west-2",
]
witness              = "us-east-2"
engine_version       = "8.0.mysql_aurora.3.10.4"
database_name        = "transactions"
master_username      = "lifeboatadmin"
deletion_protection  = true
secret_recovery_days = 30
