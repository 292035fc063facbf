mock_provider "aws" {
  mock_resource "aws_dynamodb_table" {
    defaults = { arn = "arn:aws:dynamodb:us-east-1:123456789012:table/lifeboat-test-lease" }
  }
}

variables {
  name        = "lifeboat-test"
  home_region = "us-east-1"
  members     = ["us-east-1", "us-west-2"]
  witness     = "us-east-2"
  key_arns = {
    us-east-1 = "arn:aws:kms:us-east-1:123456789012:key/east"
    us-west-2 = "arn:aws:kms:us-west-2:123456789012:key/west"
    us-east-2 = "arn:aws:kms:us-east-2:123456789012:key/witness"
  }
}

run "two_replicas_and_a_witness_agree_strongly" {
  assert {
    condition = (
      one(aws_dynamodb_table.lease.replica).region_name == "us-west-2" &&
      one(aws_dynamodb_table.lease.replica).consistency_mode == "STRONG" &&
      one(aws_dynamodb_table.lease.global_table_witness).region_name == "us-east-2"
    )
    error_message = "Without strong consistency and a witness the table is no lock."
  }

  assert {
    condition     = output.table_arns["us-west-2"] == "arn:aws:dynamodb:us-west-2:123456789012:table/lifeboat-test-lease"
    error_message = "A replica's ARN differs by its Region only."
  }
}

run "table" {
  command = plan

  # The keys are those that the store writes.
  assert {
    condition     = aws_dynamodb_table.lease.hash_key == "pk" && aws_dynamodb_table.lease.range_key == "sk" && alltrue([for a in aws_dynamodb_table.lease.attribute : a.type == "S"])
    error_message = "pkg/dr/dynamo writes pk and sk, both strings."
  }

  assert {
    condition     = length(aws_dynamodb_table.lease.ttl) == 0 && aws_dynamodb_table.lease.billing_mode == "PAY_PER_REQUEST"
    error_message = "Strong consistency allows no TTL, and a lock no throttling."
  }

  # Each replica is protected and encrypted by its own region.
  assert {
    condition = (
      one(aws_dynamodb_table.lease.server_side_encryption).kms_key_arn == var.key_arns["us-east-1"] &&
      one(aws_dynamodb_table.lease.replica).kms_key_arn == var.key_arns["us-west-2"]
    )
    error_message = "A replica that needs the other Region's key dies with that Region."
  }

  assert {
    condition = (
      aws_dynamodb_table.lease.deletion_protection_enabled && one(aws_dynamodb_table.lease.replica).deletion_protection_enabled &&
      one(aws_dynamodb_table.lease.point_in_time_recovery).enabled && one(aws_dynamodb_table.lease.replica).point_in_time_recovery
    )
    error_message = "Protection and recovery hold in both Regions."
  }
}

run "managed_from_the_other_member" {
  command = plan
  variables { home_region = "us-west-2" }

  assert {
    condition     = aws_dynamodb_table.lease.region == "us-west-2" && one(aws_dynamodb_table.lease.replica).region_name == "us-east-1"
    error_message = "The replica stands in the Region that is not home."
  }
}

run "without_a_witness_it_is_eventual" {
  command = plan
  variables { witness = null }

  assert {
    condition     = one(aws_dynamodb_table.lease.replica).consistency_mode == "EVENTUAL" && length(aws_dynamodb_table.lease.global_table_witness) == 0
    error_message = "Two Regions have no majority."
  }
}

# Every value below must be refused, each for itself: a run takes as long for one as for ten.
run "wrong_values" {
  command = plan

  variables {
    # a witness of another region set
    witness = "eu-west-1"
    # home is no member
    home_region = "us-east-2"
    # a key is missing
    key_arns = { us-east-1 = "arn:aws:kms:us-east-1:123456789012:key/east" }
  }

  expect_failures = [var.witness, var.home_region, var.key_arns]
}

run "a_member_as_witness" {
  command = plan

  variables {
    witness = "us-west-2"
  }

  expect_failures = [var.witness]
}
