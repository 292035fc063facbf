# The buckets that hold the Terraform states, one in each Region, replicated both ways.
# Apply this unit first; its own state moves into the bucket afterwards.

data "aws_caller_identity" "current" {}

module "state" {
  source = "../../../modules/state"
  providers = {
    aws.first  = aws.first
    aws.second = aws.second
  }

  name       = var.name
  account_id = data.aws_caller_identity.current.account_id
  bucket     = var.state_bucket
  regions    = var.regions
}
