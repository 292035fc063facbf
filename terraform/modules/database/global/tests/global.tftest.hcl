# Terraform mocks no ephemeral resources before 1.17, so what plans asks the provider
# that is installed: in CI the stand-in, which needs no account.
provider "aws" {
  region = "us-east-1"
}

variables {
  name            = "lifeboat-test"
  home_region     = "us-east-1"
  members         = ["us-east-1", "us-west-2"]
  engine_version  = "8.0.mysql_aurora.3.10.4"
  database_name   = "transactions"
  master_username = "lifeboatadmin"
  key_arns = {
    us-east-1 = "arn:aws:kms:us-east-1:123456789012:key/east"
    us-west-2 = "arn:aws:kms:us-west-2:123456789012:key/west"
  }
}

run "global_cluster_and_secret" {
  command = plan

  # The global cluster is protected and encrypted.
  assert {
    condition     = aws_rds_global_cluster.this.storage_encrypted && aws_rds_global_cluster.this.deletion_protection
    error_message = "Encryption and deletion protection are the default."
  }

  assert {
    condition     = aws_rds_global_cluster.this.global_cluster_identifier == "lifeboat-test" && aws_rds_global_cluster.this.region == "us-east-1"
    error_message = "The identifier holds no role and no Region."
  }

  # The secrets have a copy that survives.
  assert {
    condition = alltrue([
      for secret in aws_secretsmanager_secret.login :
      one(secret.replica).region == "us-west-2" &&
      one(secret.replica).kms_key_id == var.key_arns["us-west-2"] &&
      secret.kms_key_id == var.key_arns["us-east-1"]
    ])
    error_message = "Each Region reads its own copies with its own key."
  }

  assert {
    condition     = toset([for secret in aws_secretsmanager_secret.login : secret.name]) == toset(["lifeboat-test-functions", "lifeboat-test-master"])
    error_message = "Module access names these two, and no other."
  }
}

run "no_password_reaches_the_state" {
  command = apply

  assert {
    condition = alltrue([
      for version in aws_secretsmanager_secret_version.login :
      version.secret_string_wo == null && coalesce(version.secret_string, "none") == "none"
    ])
    error_message = "The passwords are write-only."
  }

  assert {
    condition     = alltrue([for version in aws_secretsmanager_secret_version.login : join(" ", sort(version.version_stages)) == "AWSCURRENT INITIAL"])
    error_message = "The first version needs a label of its own, or two rotations drop it."
  }

  assert {
    condition     = alltrue([for arns in [output.master_secret_arns, output.functions_secret_arns] : alltrue([for r, arn in arns : strcontains(arn, ":${r}:")])])
    error_message = "Each Region gets the ARN of its own copy."
  }
}
