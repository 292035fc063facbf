locals {
  # The witness sees and reports; it holds no member, so it never moves the writer.
  member = contains(var.members, var.region)

  packages = merge(
    { health_monitor = var.packages.health_monitor },
    local.member ? { failover_trigger = var.packages.failover_trigger } : {},
  )

  functions = {
    for what, package in local.packages : what => {
      name    = "${var.name}-${replace(what, "_", "-")}"
      package = package
      role    = what == "health_monitor" ? var.health_monitor_role_arn : var.failover_trigger_role_arn

      # Two monitors overlap for the moment in which the loop of the last minute hands
      # over to the next. Of the triggers one drives, whatever the automation asks: another
      # invocation of a monitor or an alarm finds that out and ends within a second. So at
      # most four are the automation's (the one that drives, one of each monitor, one of
      # the alarm), and four are free for people at any time.
      concurrency = what == "health_monitor" ? 2 : 8

      description = what == "health_monitor" ? (
        "Watches the Region that has the writer, renews the lease, publishes the role metric."
        ) : (
        "Moves the writer to this Region, if the evidence, the fence and the gate allow it."
      )
    }
  }

  # What lambdas/internal/boot reads. What there is none of is left out: an empty
  # variable would be a value. Conditions ask for the kind of Region and not for null,
  # so that the first plan knows which variables there will be.
  environment = merge(
    {
      LIFEBOAT_GLOBAL_CLUSTER = var.global_cluster_identifier
      LIFEBOAT_MEMBERS        = join(",", var.members)
      LIFEBOAT_LEASE_TABLE    = var.lease_table_name
      LIFEBOAT_TOPIC_ARN      = var.topic_arn
      LIFEBOAT_POLICY         = var.policy
    },
    var.witness == null ? {} : { LIFEBOAT_WITNESS = var.witness },
    !local.member ? {} : {
      LIFEBOAT_SECRET_ARN = var.secret_arn

      # This Region's database only. The peer's exists after the peer's unit, so a value here
      # would tie the two plans together; the functions find it in the lease table.
      LIFEBOAT_DATABASES = "${var.region}=${var.database_endpoint}:3306"
      LIFEBOAT_READERS   = "${var.region}=${var.reader_endpoint}:3306"
    },
  )

  # What only one of them may or must have.
  own_environment = {
    health_monitor   = !local.member ? {} : { LIFEBOAT_ADMIN_SECRET_ARN = var.master_secret_arn }
    failover_trigger = !local.member ? {} : { LIFEBOAT_ENDPOINT = "${var.writer_endpoint}:3306" }
  }
}

# Before the functions: Lambda would create its own group, without key or retention.
resource "aws_cloudwatch_log_group" "function" {
  for_each = local.functions

  name              = "/aws/lambda/${each.value.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.key_arn
}

resource "aws_lambda_function" "function" {
  #checkov:skip=CKV_AWS_272:No signing profile. The packages are built from source by make lambdas, and the plan that a reviewer approves pins their hash.
  #checkov:skip=CKV_AWS_117:Members are inside their VPC. The witness's monitor stands outside any: it asks public AWS APIs only and has no database to reach.
  for_each = local.functions

  function_name                  = each.value.name
  description                    = each.value.description
  role                           = each.value.role
  filename                       = each.value.package
  source_code_hash               = fileexists(each.value.package) ? filebase64sha256(each.value.package) : null
  runtime                        = "provided.al2023"
  handler                        = "bootstrap"
  architectures                  = [var.architecture]
  memory_size                    = 512 # CPU follows memory: at 128 MB a TLS handshake takes longer than a probe may
  timeout                        = 900 # Lambda's maximum: the loop outlives a lost tick, a promotion takes minutes
  reserved_concurrent_executions = each.value.concurrency
  kms_key_arn                    = var.key_arn

  environment {
    variables = merge(local.environment, local.own_environment[each.key])
  }

  dead_letter_config {
    target_arn = aws_sqs_queue.dead_letters.arn
  }

  logging_config {
    # Lines must reach the log as they were written: they are metrics (EMF).
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.function[each.key].name
  }

  tracing_config {
    mode = "Active"
  }

  dynamic "vpc_config" {
    for_each = var.network == null ? [] : [var.network]

    content {
      subnet_ids         = vpc_config.value.subnet_ids
      security_group_ids = vpc_config.value.security_group_ids
    }
  }

  lifecycle {
    precondition {
      condition     = fileexists(each.value.package)
      error_message = "There is no package at ${each.value.package}: run `make lambdas`, or point packages to where the zips are."
    }
  }
}

# What the retries of an asynchronous invocation may do.
resource "aws_lambda_function_event_invoke_config" "function" {
  for_each = local.functions

  function_name = aws_lambda_function.function[each.key].function_name

  # A tick is not worth a retry: the next one comes within a minute, and a stale one
  # would only take a place. An alarm's event for the trigger is, because CloudWatch sends
  # it once: it resumes from the journal, and waits longer than a run in progress may
  # take. Not much longer: a person's request must not be carried out long after it was
  # made. The monitor invokes the trigger synchronously, through no queue.
  maximum_retry_attempts       = each.key == "health_monitor" ? 0 : 2
  maximum_event_age_in_seconds = each.key == "health_monitor" ? 60 : 1200
}
