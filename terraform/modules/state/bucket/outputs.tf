output "bucket" {
  description = "Name of the bucket."
  value       = aws_s3_bucket.state.bucket
}

output "bucket_arn" {
  description = "ARN of the bucket, known once it is versioned: S3 replicates into no other."
  value       = local.bucket_arn

  depends_on = [aws_s3_bucket_versioning.state]
}

output "key_arn" {
  description = "ARN of the key that encrypts the bucket."
  value       = aws_kms_key.state.arn
}
