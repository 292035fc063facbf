# Rendered by Lifeboat from its config. Change the config and render again; what you change
# here is overwritten.

name = "lifeboat-demo"
default_tags = {
  "lifeboat:environment" = "demo"
}
region = "us-east-2"
members = [
  "us-east-1",
  "us-west-2",
]
witness             = "us-east-2"
notification_emails = []
thresholds = {
  connections        = 100
  cpu_percent        = 80
  replication_lag_ms = 500
}
architecture = "arm64"
packages = {
  failover_trigger = "../packages/failover-trigger-arm64.zip"
  health_monitor   = "../packages/health-monitor-arm64.zip"
}
policy = {
  automatic        = "always"
  call_timeout     = "1.5s"
  clusters         = 1
  confirm          = 3
  control_interval = "30s"
  effect_timeout   = "10m0s"
  endpoint_ttl     = "5s"
  failover_window  = "1h0m0s"
  in_region_grace  = "30s"
  lease_drift      = "250ms"
  lease_margin     = "1.5s"
  lease_ttl        = "6s"
  max_data_loss    = "1s"
  max_failovers    = 2
  max_lag_age      = "5s"
  min_vantages     = 2
  no_witness       = "ask-operator"
  objectives = {
    own_share = "20s"
    rpo       = "1s"
    rto       = "1m0s"
  }
  observe_interval = "250ms"
  poll_interval    = "250ms"
  preset           = "normal"
  probe_interval   = "2s"
  probe_timeout    = "1.5s"
  renew_interval   = "500ms"
}
log_retention_days = 365
