# Nothing here changes a running server: each parameter waits for a restart. An apply
# that set read_only at once would close an open writer.
resource "aws_rds_cluster_parameter_group" "this" {
  name        = local.cluster_identifier
  description = "Cluster parameters of ${local.cluster_identifier}"
  family      = "aurora-mysql8.0"

  dynamic "parameter" {
    for_each = local.cluster_parameters

    content {
      name         = parameter.key
      value        = parameter.value
      apply_method = "pending-reboot"
    }
  }
}

resource "aws_db_parameter_group" "this" {
  name        = local.cluster_identifier
  description = "Instance parameters of ${local.cluster_identifier}"
  family      = "aurora-mysql8.0"

  dynamic "parameter" {
    for_each = local.instance_parameters

    content {
      name         = parameter.key
      value        = parameter.value
      apply_method = "pending-reboot"
    }
  }
}

# Which parameter belongs to the cluster and which to the instance is AWS's list:
# Aurora User Guide, Aurora MySQL configuration parameters.
locals {
  cluster_parameters = {
    # Refuses every connection without TLS. It is off by default.
    require_secure_transport = "ON"

    # A server boots closed and is opened by the holder of the lease: one that was
    # restarted to fence it, or that comes back in a lost Region, accepts nothing.
    read_only = "1"

    # The watchdog (dr.Policy.Watchdog) is a MySQL event.
    event_scheduler = "ON"

    # Row images of every write, kept with the volume: after a failover the snapshot of
    # the lost volume tells which writes did not make it.
    binlog_format = "ROW"

    character_set_server = "utf8mb4"
    collation_server     = "utf8mb4_0900_ai_ci"

    # Who logged in, and who changed rights or tables. Statements are in the general log.
    server_audit_logging = "1"
    server_audit_events  = "CONNECT,QUERY_DCL,QUERY_DDL"
  }

  instance_parameters = {
    general_log     = "1"
    slow_query_log  = "1"
    long_query_time = "1" # seconds
    log_output      = "FILE"

    # A fence ends sessions and probes connect without logging in; both count as errors
    # of their host, which MySQL then locks out after 100 of them.
    max_connect_errors = "1000000"
  }
}
