locals {
  # Written rather than read, so that a policy can be reviewed before the bucket exists.
  bucket_arn = "arn:aws:s3:::${var.bucket}"
}

resource "aws_kms_key" "state" {
  description             = "${var.name}: Terraform state in ${var.region}"
  enable_key_rotation     = true
  deletion_window_in_days = 30 # the longest there is: without the key the state is gone

  # IAM decides who uses the key; the replication role needs no statement here, and so the
  # key waits for no role.
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "AccountAdministers"
      Effect    = "Allow"
      Principal = { AWS = "arn:aws:iam::${var.account_id}:root" }
      Action    = "kms:*"
      Resource  = "*"
    }]
  })
}

# The same alias in both Regions: a backend that moves to the other bucket keeps its
# kms_key_id.
resource "aws_kms_alias" "state" {
  name          = "alias/${var.name}-state"
  target_key_id = aws_kms_key.state.key_id
}

# Access logs: see CKV_AWS_18 below.
#trivy:ignore:AWS-0089
resource "aws_s3_bucket" "state" {
  #checkov:skip=CKV_AWS_18:Access logs go to the account's own log bucket of the Region, given in access_log_buckets; an account that has none reads CloudTrail's data events
  #checkov:skip=CKV_AWS_143:Object Lock would keep every lock file's version for its whole period, and versioning with replication already keeps what is overwritten
  #checkov:skip=CKV2_AWS_62:Nothing reacts to a write of the state; replication that falls behind shows in its own metrics
  bucket        = var.bucket
  force_destroy = false

  tags = { Name = var.bucket }
}

resource "aws_s3_bucket_versioning" "state" {
  bucket = aws_s3_bucket.state.bucket

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "state" {
  bucket = aws_s3_bucket.state.bucket

  rule {
    bucket_key_enabled = true

    # S3 blocks customer-provided keys in new buckets by itself since April 2026. A provider
    # before 6.40 takes that for drift and would lift the block at every apply
    # (hashicorp/terraform-provider-aws#47320).
    blocked_encryption_types = ["SSE-C"]

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.state.arn
    }
  }
}

resource "aws_s3_bucket_public_access_block" "state" {
  bucket = aws_s3_bucket.state.bucket

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "state" {
  bucket = aws_s3_bucket.state.bucket

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_policy" "state" {
  bucket = aws_s3_bucket.state.bucket

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "TLSOnly"
        Effect    = "Deny"
        Principal = { AWS = "*" }
        Action    = "s3:*"
        Resource  = [local.bucket_arn, "${local.bucket_arn}/*"]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
      {
        Sid       = "TLS12OrNewer"
        Effect    = "Deny"
        Principal = { AWS = "*" }
        Action    = "s3:*"
        Resource  = [local.bucket_arn, "${local.bucket_arn}/*"]
        Condition = { NumericLessThan = { "s3:TlsVersion" = "1.2" } }
      },
      # A backend with encrypt = true and no kms_key_id asks for AES256, which would put
      # the state under S3's key instead of ours. Without the header the bucket's default
      # applies, and that is ours: hence the Null.
      {
        Sid       = "OwnKeyOnly"
        Effect    = "Deny"
        Principal = { AWS = "*" }
        Action    = "s3:PutObject"
        Resource  = "${local.bucket_arn}/*"
        Condition = {
          Null            = { "s3:x-amz-server-side-encryption" = "false" }
          StringNotEquals = { "s3:x-amz-server-side-encryption" = "aws:kms" }
        }
      },
    ]
  })

  # S3 refuses a policy while it doubts whether the bucket may have one.
  depends_on = [aws_s3_bucket_public_access_block.state]
}

resource "aws_s3_bucket_logging" "state" {
  count = var.access_log_bucket == null ? 0 : 1

  bucket        = aws_s3_bucket.state.bucket
  target_bucket = var.access_log_bucket
  target_prefix = "${var.bucket}/"
}
