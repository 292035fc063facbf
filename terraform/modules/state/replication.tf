# One role for both directions: each bucket is a source and a target.

locals {
  bucket_names = { for r in var.regions : r => "${var.bucket}-${r}" }
  key_arns     = { (var.regions[0]) = module.first.key_arn, (var.regions[1]) = module.second.key_arn }
}

resource "aws_iam_role" "replication" {
  provider = aws.first

  name        = "${var.name}-state-replication"
  description = "S3 replicates the Terraform state between ${join(" and ", var.regions)}"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "S3Replication"
      Effect    = "Allow"
      Principal = { Service = "s3.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })

  lifecycle {
    precondition {
      condition     = data.aws_region.first.id == var.regions[0] && data.aws_region.second.id == var.regions[1]
      error_message = "aws.first stands in ${data.aws_region.first.id} and aws.second in ${data.aws_region.second.id}, but regions says ${join(" and ", var.regions)}: each bucket would be made in another Region than its name tells. Pass the providers in the order of regions."
    }
  }
}

resource "aws_iam_role_policy" "replication" {
  provider = aws.first

  name = "replication"
  role = aws_iam_role.replication.name

  # The actions that the S3 User Guide lists for a role of live replication with SSE-KMS.
  # With a bucket key the encryption context is the bucket's ARN, without one the object's.
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid      = "ReadConfiguration"
          Effect   = "Allow"
          Action   = ["s3:GetReplicationConfiguration", "s3:ListBucket"]
          Resource = [for r in var.regions : "arn:aws:s3:::${local.bucket_names[r]}"]
        },
        {
          Sid    = "ReadAndWriteObjects"
          Effect = "Allow"
          Action = [
            "s3:GetObjectVersionAcl",
            "s3:GetObjectVersionForReplication",
            "s3:GetObjectVersionTagging",
            "s3:ReplicateDelete",
            "s3:ReplicateObject",
            "s3:ReplicateTags",
          ]
          Resource = [for r in var.regions : "arn:aws:s3:::${local.bucket_names[r]}/*"]
        },
      ],
      [for r in var.regions : {
        Sid      = "Key${join("", [for part in split("-", r) : title(part)])}"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"]
        Resource = local.key_arns[r]
        Condition = {
          StringEquals = {
            "kms:ViaService" = "s3.${r}.amazonaws.com"
          }
          StringLike = {
            "kms:EncryptionContext:aws:s3:arn" = [
              "arn:aws:s3:::${local.bucket_names[r]}",
              "arn:aws:s3:::${local.bucket_names[r]}/*",
            ]
          }
        }
      }]
    )
  })
}
