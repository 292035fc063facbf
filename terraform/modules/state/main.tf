data "aws_region" "first" {
  provider = aws.first
}

data "aws_region" "second" {
  provider = aws.second
}

# Each module takes what the other one made, and no resource waits for itself: keys and
# buckets wait for nothing, the role for the keys, and replication for all of them.
module "first" {
  source    = "./bucket"
  providers = { aws = aws.first }

  name                   = var.name
  account_id             = var.account_id
  region                 = var.regions[0]
  bucket                 = "${var.bucket}-${var.regions[0]}"
  version_retention_days = var.version_retention_days
  access_log_bucket      = lookup(var.access_log_buckets, var.regions[0], null)
  replication_role_arn   = aws_iam_role.replication.arn

  replica = {
    region     = var.regions[1]
    bucket_arn = module.second.bucket_arn
    key_arn    = module.second.key_arn
  }
}

module "second" {
  source    = "./bucket"
  providers = { aws = aws.second }

  name                   = var.name
  account_id             = var.account_id
  region                 = var.regions[1]
  bucket                 = "${var.bucket}-${var.regions[1]}"
  version_retention_days = var.version_retention_days
  access_log_bucket      = lookup(var.access_log_buckets, var.regions[1], null)
  replication_role_arn   = aws_iam_role.replication.arn

  replica = {
    region     = var.regions[0]
    bucket_arn = module.first.bucket_arn
    key_arn    = module.first.key_arn
  }
}
