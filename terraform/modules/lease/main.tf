locals {
  other_region = one(setsubtract(var.members, [var.home_region]))
}

# The table of pkg/dr/dynamo: lease, journal, reports and acknowledgements. No TTL, no
# index, no transactions: strong multi-Region consistency allows none of them.
resource "aws_dynamodb_table" "lease" {
  region                      = var.home_region
  name                        = "${var.name}-lease"
  billing_mode                = "PAY_PER_REQUEST" # a lock must never be throttled by a forgotten limit
  hash_key                    = "pk"
  range_key                   = "sk"
  stream_enabled              = true # what replicas are fed from
  stream_view_type            = "NEW_AND_OLD_IMAGES"
  deletion_protection_enabled = var.deletion_protection

  attribute {
    name = "pk"
    type = "S"
  }

  attribute {
    name = "sk"
    type = "S"
  }

  point_in_time_recovery {
    enabled = true
  }

  # DynamoDB wants the same kind of key in every Region, and each replica its own.
  server_side_encryption {
    enabled     = true
    kms_key_arn = var.key_arns[var.home_region]
  }

  replica {
    region_name                 = local.other_region
    consistency_mode            = var.witness == null ? "EVENTUAL" : "STRONG"
    kms_key_arn                 = var.key_arns[local.other_region]
    point_in_time_recovery      = true
    deletion_protection_enabled = var.deletion_protection
    propagate_tags              = true
  }

  dynamic "global_table_witness" {
    for_each = var.witness == null ? [] : [var.witness]

    content {
      region_name = global_table_witness.value
    }
  }

  tags = { Name = "${var.name}-lease" }
}
