# The master login, one secret with a copy in the other Region: recovery reads the
# copy of the Region that is left. RDS can't manage it, because it doesn't do so for
# global databases (Aurora User Guide, password management with Secrets Manager).
resource "aws_secretsmanager_secret" "login" {
  #checkov:skip=CKV2_AWS_57:rotation changes the password at the member that writes, which moves; it is an operator's task, described in the README

  region                  = var.home_region
  name                    = "${var.name}-master"
  description             = "Master login of the global cluster ${var.name}"
  kms_key_id              = var.key_arns[var.home_region]
  recovery_window_in_days = var.secret_recovery_days

  replica {
    region     = local.other_region
    kms_key_id = var.key_arns[local.other_region]
  }

  tags = { Name = "${var.name}-master" }
}

locals {
  other_region = one(setsubtract(var.members, [var.home_region]))
}

# Made by AWS at every plan and apply, kept by none: ephemeral values reach neither
# plan nor state. All but the one of the first apply are thrown away.
ephemeral "aws_secretsmanager_random_password" "login" {
  region                     = var.home_region
  password_length            = 40 # Aurora MySQL takes 8 to 41
  require_each_included_type = true
  exclude_characters         = "/@\"'\\ " # RDS refuses / @ " and blanks; the others trip shells
}

resource "aws_secretsmanager_secret_version" "login" {
  region    = var.home_region
  secret_id = aws_secretsmanager_secret.login.id

  # Without a host: it differs by Region.
  secret_string_wo = jsonencode({
    engine   = "mysql"
    port     = 3306
    dbname   = var.database_name
    username = var.master_username
    password = ephemeral.aws_secretsmanager_random_password.login.random_password
  })
  secret_string_wo_version = 1 # a constant, so that only creation writes

  # The second label keeps Secrets Manager from dropping this version after two
  # rotations. Terraform would then create it anew and make a password current that
  # the database doesn't know.
  version_stages = ["AWSCURRENT", "INITIAL"]

  lifecycle {
    # Rotation moves AWSCURRENT on; it must stay there.
    ignore_changes = [version_stages]
  }
}
