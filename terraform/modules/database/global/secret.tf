# The logins of the database, each a secret with a copy in the other Region: recovery
# reads the copy of the Region that is left. RDS can't manage the master's, because it
# doesn't do so for global databases (Aurora User Guide, password management with
# Secrets Manager).
locals {
  other_region = one(setsubtract(var.members, [var.home_region]))

  # read_only, the fence, doesn't bind the master user. So what only looks and proves has
  # a user of its own, which the fence binds as it binds everybody else.
  logins = {
    admin     = { secret = "${var.name}-master", username = var.master_username, purpose = "Master login of the global cluster ${var.name}: fences, opens, installs" }
    functions = { secret = "${var.name}-functions", username = local.functions_username, purpose = "Login of Lifeboat's functions to ${var.name}: probes, heartbeats, lag" }
  }

  # What the functions call themselves: LIFEBOAT_DATABASE_USER's default.
  functions_username = "lifeboat"
}

resource "aws_secretsmanager_secret" "login" {
  #checkov:skip=CKV2_AWS_57:rotation changes the password at the member that writes, which moves; it is an operator's task, described in the README
  for_each = local.logins

  region                  = var.home_region
  name                    = each.value.secret
  description             = each.value.purpose
  kms_key_id              = var.key_arns[var.home_region]
  recovery_window_in_days = var.secret_recovery_days

  replica {
    region     = local.other_region
    kms_key_id = var.key_arns[local.other_region]
  }

  tags = { Name = each.value.secret }
}

# Made by AWS at every plan and apply, kept by none: ephemeral values reach neither
# plan nor state. All but the ones of the first apply are thrown away.
ephemeral "aws_secretsmanager_random_password" "login" {
  for_each = local.logins

  region                     = var.home_region
  password_length            = 40 # Aurora MySQL takes 8 to 41
  require_each_included_type = true
  exclude_characters         = "/@\"'\\ " # RDS refuses / @ " and blanks; the others trip shells
}

resource "aws_secretsmanager_secret_version" "login" {
  for_each = local.logins

  region    = var.home_region
  secret_id = aws_secretsmanager_secret.login[each.key].id

  # Without a host: it differs by Region.
  secret_string_wo = jsonencode({
    engine   = "mysql"
    port     = 3306
    dbname   = var.database_name
    username = each.value.username
    password = ephemeral.aws_secretsmanager_random_password.login[each.key].random_password
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
