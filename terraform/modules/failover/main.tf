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
      # over to the next. One trigger at a time: the journal makes a second one
      # harmless, this makes it impossible.
      concurrency = what == "health_monitor" ? 2 : 1

      description = what == "health_monitor" ? (
        "Watches the Region that has the writer, renews the lease, publishes the role metric."
        ) : (
        "Moves the writer to this Region, if the evidence, the fence and the gate allow it."
      )
    }
  }

  # Null is left out: an empty variable would be a value.
  environment = {
    for key, value in {
      LIFEBOAT_GLOBAL_CLUSTER = var.global_cluster_identifier
      LIFEBOAT_MEMBERS        = join(",", var.members)
      LIFEBOAT_WITNESS        = var.witness
      LIFEBOAT_LEASE_TABLE    = var.lease_table_name
      LIFEBOAT_TOPIC_ARN      = var.topic_arn
      LIFEBOAT_SECRET_ARN     = var.secret_arn
      LIFEBOAT_POLICY         = var.policy
    } : key => value if value != null
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
    variables = local.environment
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
  # would only take a place. A trigger is: it resumes from the journal, and it waits
  # as long as a run in progress may take.
  maximum_retry_attempts       = each.key == "health_monitor" ? 0 : 2
  maximum_event_age_in_seconds = each.key == "health_monitor" ? 60 : 3600
}
