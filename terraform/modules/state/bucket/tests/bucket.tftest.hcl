mock_provider "aws" {
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:us-east-1:123456789012:key/11111111-1111-1111-1111-111111111111" }
  }
}

variables {
  name                   = "lifeboat-test"
  account_id             = "123456789012"
  region                 = "us-east-1"
  bucket                 = "lifeboat-test-state-us-east-1"
  version_retention_days = 365
  replication_role_arn   = "arn:aws:iam::123456789012:role/lifeboat-test-state-replication"

  replica = {
    region     = "us-west-2"
    bucket_arn = "arn:aws:s3:::lifeboat-test-state-us-west-2"
    key_arn    = "arn:aws:kms:us-west-2:123456789012:key/22222222-2222-2222-2222-222222222222"
  }
}

run "bucket" {
  # Bucket is versioned encrypted and private.
  assert {
    condition     = aws_s3_bucket.state.bucket == "lifeboat-test-state-us-east-1" && aws_s3_bucket.state.force_destroy == false
    error_message = "The bucket has its deterministic name and isn't destroyed with what it holds."
  }

  assert {
    condition     = aws_s3_bucket_versioning.state.versioning_configuration[0].status == "Enabled"
    error_message = "A state is versioned (CKV_AWS_21), and replication needs it."
  }

  assert {
    condition = alltrue([for r in aws_s3_bucket_server_side_encryption_configuration.state.rule :
      r.bucket_key_enabled && alltrue([for d in r.apply_server_side_encryption_by_default : d.sse_algorithm == "aws:kms" && d.kms_master_key_id == aws_kms_key.state.arn])
    ])
    error_message = "The default encryption is the Region's own key (CKV_AWS_145)."
  }

  assert {
    condition     = alltrue([for r in aws_s3_bucket_server_side_encryption_configuration.state.rule : r.blocked_encryption_types == tolist(["SSE-C"])])
    error_message = "Left out, providers before 6.40 lift S3's block of customer-provided keys, and no plan is clean."
  }

  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.state.block_public_acls,
      aws_s3_bucket_public_access_block.state.block_public_policy,
      aws_s3_bucket_public_access_block.state.ignore_public_acls,
      aws_s3_bucket_public_access_block.state.restrict_public_buckets,
    ])
    error_message = "All four blocks are on (CKV_AWS_53 to 56)."
  }

  assert {
    condition     = aws_s3_bucket_ownership_controls.state.rule[0].object_ownership == "BucketOwnerEnforced"
    error_message = "ACLs are off (CKV2_AWS_65)."
  }

  # Key rotates and belongs to the account.
  assert {
    condition     = aws_kms_key.state.enable_key_rotation && aws_kms_key.state.deletion_window_in_days == 30
    error_message = "The key rotates (CKV_AWS_7) and waits as long as it can before it is deleted."
  }

  assert {
    condition     = [for s in jsondecode(aws_kms_key.state.policy).Statement : s.Principal.AWS] == ["arn:aws:iam::123456789012:root"]
    error_message = "The account, and no wildcard, administers the key (CKV_AWS_33)."
  }

  assert {
    condition     = aws_kms_alias.state.name == "alias/lifeboat-test-state" && aws_kms_alias.state.target_key_id == aws_kms_key.state.key_id
    error_message = "The backends name the key by this alias in both Regions."
  }

  # Policy only refuses.
  assert {
    condition     = alltrue([for s in jsondecode(aws_s3_bucket_policy.state.policy).Statement : s.Effect == "Deny" && length(s.Condition) > 0])
    error_message = "The bucket's policy gives no principal access and locks none out (CKV_AWS_70, CKV_AWS_93)."
  }

  assert {
    condition = contains([for s in jsondecode(aws_s3_bucket_policy.state.policy).Statement : jsonencode(s.Condition) if s.Action == "s3:*" && jsonencode(s.Resource) == jsonencode([
      "arn:aws:s3:::lifeboat-test-state-us-east-1", "arn:aws:s3:::lifeboat-test-state-us-east-1/*"
    ])], jsonencode({ Bool = { "aws:SecureTransport" = "false" } }))
    error_message = "Bucket and objects are reached by TLS only (CKV_AWS_379)."
  }

  assert {
    condition = contains([for s in jsondecode(aws_s3_bucket_policy.state.policy).Statement : jsonencode(s.Condition) if s.Action == "s3:PutObject"], jsonencode({
      Null            = { "s3:x-amz-server-side-encryption" = "false" }
      StringNotEquals = { "s3:x-amz-server-side-encryption" = "aws:kms" }
    }))
    error_message = "A write that asks for another encryption is refused; one that asks for none gets the bucket's."
  }

  # Delete markers and encrypted objects are replicated within 15 minutes.
  assert {
    condition     = aws_s3_bucket_replication_configuration.state.role == var.replication_role_arn && length(aws_s3_bucket_replication_configuration.state.rule) == 1
    error_message = "One rule, with the role of the pair."
  }

  assert {
    condition     = aws_s3_bucket_replication_configuration.state.rule[0].status == "Enabled" && aws_s3_bucket_replication_configuration.state.rule[0].delete_marker_replication[0].status == "Enabled"
    error_message = "A released lock file must not stay visible in the replica."
  }

  assert {
    condition     = aws_s3_bucket_replication_configuration.state.rule[0].source_selection_criteria[0].sse_kms_encrypted_objects[0].status == "Enabled"
    error_message = "Without this S3 replicates nothing that KMS has encrypted, which is everything here."
  }

  assert {
    condition = (
      aws_s3_bucket_replication_configuration.state.rule[0].destination[0].bucket == "arn:aws:s3:::lifeboat-test-state-us-west-2" &&
      aws_s3_bucket_replication_configuration.state.rule[0].destination[0].encryption_configuration[0].replica_kms_key_id == var.replica.key_arn
    )
    error_message = "The replica is written into the other bucket with that Region's key (CKV_AWS_144)."
  }

  assert {
    condition = (
      aws_s3_bucket_replication_configuration.state.rule[0].destination[0].replication_time[0].status == "Enabled" &&
      aws_s3_bucket_replication_configuration.state.rule[0].destination[0].replication_time[0].time[0].minutes == 15 &&
      aws_s3_bucket_replication_configuration.state.rule[0].destination[0].metrics[0].status == "Enabled"
    )
    error_message = "The RPO of the state rests on Replication Time Control."
  }

  # Old versions expire but never the newest ten.
  assert {
    condition = (
      aws_s3_bucket_lifecycle_configuration.state.rule[0].status == "Enabled" &&
      aws_s3_bucket_lifecycle_configuration.state.rule[0].noncurrent_version_expiration[0].noncurrent_days == 365 &&
      tostring(aws_s3_bucket_lifecycle_configuration.state.rule[0].noncurrent_version_expiration[0].newer_noncurrent_versions) == "10" &&
      aws_s3_bucket_lifecycle_configuration.state.rule[0].abort_incomplete_multipart_upload[0].days_after_initiation == 7
    )
    error_message = "Versions are the backup of a state; broken uploads go (CKV_AWS_300, CKV2_AWS_61)."
  }

  assert {
    condition     = coalesce(aws_s3_bucket_lifecycle_configuration.state.rule[0].expiration[0].days, 0) == 0
    error_message = "The current version of a state never expires."
  }

  # Access logs only where asked.
  assert {
    condition     = length(aws_s3_bucket_logging.state) == 0
    error_message = "Without a log bucket there is nothing to log to."
  }

  # No name tells a role.
  assert {
    condition = !can(regex("(?i)primary|secondary|writer|standby|master|slave", jsonencode([
      aws_s3_bucket.state.bucket, aws_s3_bucket.state.tags, aws_kms_alias.state.name, aws_kms_key.state.description,
      aws_s3_bucket_replication_configuration.state.rule[0].id,
    ])))
    error_message = "One failover makes a name that tells a role a lie."
  }
}

run "access_logs_where_asked" {
  variables {
    access_log_bucket = "audit-us-east-1"
  }

  assert {
    condition     = aws_s3_bucket_logging.state[0].target_bucket == "audit-us-east-1" && aws_s3_bucket_logging.state[0].target_prefix == "lifeboat-test-state-us-east-1/"
    error_message = "The account's log bucket takes the access logs under the bucket's name."
  }
}

run "name_beyond_63_characters_is_refused" {
  command = plan

  variables {
    bucket = "a23456789-123456789-123456789-123456789-123456789-us-northwest-1"
  }

  expect_failures = [var.bucket]
}
