mock_provider "aws" {
  alias = "first"

  mock_data "aws_region" {
    defaults = { id = "us-east-1" }
  }

  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:us-east-1:123456789012:key/11111111-1111-1111-1111-111111111111" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/lifeboat-test-state-replication" }
  }
}

mock_provider "aws" {
  alias = "second"

  mock_data "aws_region" {
    defaults = { id = "us-west-2" }
  }

  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:us-west-2:123456789012:key/22222222-2222-2222-2222-222222222222" }
  }
}

variables {
  name       = "lifeboat-test"
  account_id = "123456789012"
  bucket     = "lifeboat-test-state"
  regions    = ["us-east-1", "us-west-2"]
}

run "pair" {
  # Names come from the regions.
  assert {
    condition     = output.buckets == { "us-east-1" = "lifeboat-test-state-us-east-1", "us-west-2" = "lifeboat-test-state-us-west-2" }
    error_message = "The backends of all units are written with these names."
  }

  assert {
    condition = output.key_arns == {
      "us-east-1" = "arn:aws:kms:us-east-1:123456789012:key/11111111-1111-1111-1111-111111111111"
      "us-west-2" = "arn:aws:kms:us-west-2:123456789012:key/22222222-2222-2222-2222-222222222222"
    }
    error_message = "Each Region has a key of its own, made there."
  }

  assert {
    condition     = aws_iam_role.replication.name == "lifeboat-test-state-replication"
    error_message = "The role's name is deterministic."
  }

  # Role is for s3 alone.
  assert {
    condition     = [for s in jsondecode(aws_iam_role.replication.assume_role_policy).Statement : [s.Effect, s.Principal, s.Action]] == [["Allow", { Service = "s3.amazonaws.com" }, "sts:AssumeRole"]]
    error_message = "Only S3 may assume the role (CKV_AWS_60)."
  }

  # Role replicates both ways and does nothing else.
  assert {
    condition = toset(flatten([for s in jsondecode(aws_iam_role_policy.replication.policy).Statement : s.Action])) == toset([
      "s3:GetReplicationConfiguration", "s3:ListBucket",
      "s3:GetObjectVersionAcl", "s3:GetObjectVersionForReplication", "s3:GetObjectVersionTagging",
      "s3:ReplicateDelete", "s3:ReplicateObject", "s3:ReplicateTags",
      "kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey",
    ])
    error_message = "The role's actions have changed; without ReplicateDelete a released lock stays in the replica."
  }

  assert {
    condition = toset(flatten([for s in jsondecode(aws_iam_role_policy.replication.policy).Statement : s.Resource])) == toset([
      "arn:aws:s3:::lifeboat-test-state-us-east-1", "arn:aws:s3:::lifeboat-test-state-us-east-1/*",
      "arn:aws:s3:::lifeboat-test-state-us-west-2", "arn:aws:s3:::lifeboat-test-state-us-west-2/*",
      "arn:aws:kms:us-east-1:123456789012:key/11111111-1111-1111-1111-111111111111",
      "arn:aws:kms:us-west-2:123456789012:key/22222222-2222-2222-2222-222222222222",
    ])
    error_message = "The role reaches the two buckets and the two keys, by exact ARN."
  }

  assert {
    condition = { for s in jsondecode(aws_iam_role_policy.replication.policy).Statement : s.Resource => s.Condition if startswith(s.Sid, "Key") } == {
      "arn:aws:kms:us-east-1:123456789012:key/11111111-1111-1111-1111-111111111111" = {
        StringEquals = { "kms:ViaService" = "s3.us-east-1.amazonaws.com" }
        StringLike   = { "kms:EncryptionContext:aws:s3:arn" = ["arn:aws:s3:::lifeboat-test-state-us-east-1", "arn:aws:s3:::lifeboat-test-state-us-east-1/*"] }
      }
      "arn:aws:kms:us-west-2:123456789012:key/22222222-2222-2222-2222-222222222222" = {
        StringEquals = { "kms:ViaService" = "s3.us-west-2.amazonaws.com" }
        StringLike   = { "kms:EncryptionContext:aws:s3:arn" = ["arn:aws:s3:::lifeboat-test-state-us-west-2", "arn:aws:s3:::lifeboat-test-state-us-west-2/*"] }
      }
    }
    error_message = "A key is used only through S3 of its Region, only for its bucket."
  }
}

run "swapped_providers_are_refused" {
  command = plan
  variables {
    regions = ["us-west-2", "us-east-1"]
  }
  expect_failures = [aws_iam_role.replication]
}

run "longest_base_name_is_accepted" {
  command = plan
  variables {
    bucket = "a23456789-123456789-123456789-123456789-12345678"
  }
}

# Every value below must be refused, each for itself: a run takes as long for one as for ten.
run "wrong_values_1" {
  command = plan

  variables {
    # one region twice
    regions = ["us-east-1", "us-east-1"]
    # longer base name
    bucket = "a23456789-123456789-123456789-123456789-123456789"
    # account without leading zero
    account_id = "12345678901"
    # versions kept too briefly
    version_retention_days = 29
    # name without prefix
    name = "test"
  }

  expect_failures = [var.regions, var.bucket, var.account_id, var.version_retention_days, var.name]
}

run "wrong_values_2" {
  command = plan

  variables {
    # three regions
    regions = ["us-east-1", "us-west-2", "us-east-2"]
    # capitals in the base name
    bucket = "Lifeboat-state"
  }

  expect_failures = [var.regions, var.bucket]
}

run "region_that_is_no_region_is_refused" {
  command = plan

  variables {
    regions = ["us-east-1", "usw2"]
  }

  expect_failures = [var.regions]
}

run "log_bucket_of_another_region_is_refused" {
  command = plan

  variables {
    access_log_buckets = { "us-east-2" = "logs" }
  }

  expect_failures = [var.access_log_buckets]
}
