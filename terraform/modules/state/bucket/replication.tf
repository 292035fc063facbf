resource "aws_s3_bucket_replication_configuration" "state" {
  bucket = aws_s3_bucket.state.bucket
  role   = var.replication_role_arn

  rule {
    id       = "to-${var.replica.region}"
    status   = "Enabled"
    priority = 0

    filter {}

    # Off unless asked for. A released lock file must vanish over there too, or the first
    # run after the loss of this Region finds the state locked.
    delete_marker_replication {
      status = "Enabled"
    }

    source_selection_criteria {
      sse_kms_encrypted_objects {
        status = "Enabled" # without it S3 leaves out whatever KMS has encrypted
      }

      replica_modifications {
        status = "Enabled" # two-way: a tag set on a replica goes back
      }
    }

    destination {
      bucket        = var.replica.bucket_arn
      storage_class = "STANDARD"

      encryption_configuration {
        replica_kms_key_id = var.replica.key_arn
      }

      replication_time {
        status = "Enabled"

        time {
          minutes = 15
        }
      }

      metrics {
        status = "Enabled"

        event_threshold {
          minutes = 15
        }
      }
    }
  }

  # S3 replicates from no bucket that isn't versioned.
  depends_on = [aws_s3_bucket_versioning.state]
}
