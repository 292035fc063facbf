# Lifecycle actions aren't replicated: both buckets have this rule.
resource "aws_s3_bucket_lifecycle_configuration" "state" {
  bucket = aws_s3_bucket.state.bucket

  rule {
    id     = "old-versions"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days           = var.version_retention_days
      newer_noncurrent_versions = 10
    }

    # What is left of a lock file when its last version has expired.
    expiration {
      expired_object_delete_marker = true
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  # The rule speaks of versions.
  depends_on = [aws_s3_bucket_versioning.state]
}
