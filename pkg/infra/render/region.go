package render

import (
	"fmt"
	"slices"

	"github.com/zclconf/go-cty/cty"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// region writes one member's unit. Both members get the same calls; what differs are
// the values.
func (b builder) region(r *root) {
	d := b.c.Database
	cidr, peerCIDR := b.c.Network.CIDR, b.c.Network.SecondCIDR
	if r.unit.Region == b.c.SecondRegion {
		cidr, peerCIDR = peerCIDR, cidr
	}
	peer := b.c.Topology().Peer(r.unit.Region)
	r.about = fmt.Sprintf("Everything that stands in %s. It plans and applies while %s is dark: nothing here asks another Region.", r.unit.Region, peer)
	r.variables = append(r.variables,
		variable{"region", "Region that this unit stands in.", "string", cty.StringVal(r.unit.Region.String())},
		variable{"members", "Regions with a member of the global cluster.", "list(string)", regions(b.c.Members())},
		variable{"witness", "Region that gives the lease its majority; null means none.", "string", b.witness()},
		variable{"cidr", "Addresses of the VPC.", "string", cty.StringVal(cidr)},
		variable{"peer_region", "The other member Region.", "string", cty.StringVal(peer.String())},
		variable{"peer_cidr", "Addresses of the other Region's VPC.", "string", cty.StringVal(peerCIDR)},
		variable{"engine_version", "Aurora MySQL version, the same in every Region.", "string", cty.StringVal(d.EngineVersion)},
		variable{"bootstrap_region", "Region whose cluster is created first and takes the master credentials. Without meaning once the clusters exist.", "string", cty.StringVal(b.c.AWSRegion.String())},
		variable{"database_name", "Database that is created with the first cluster.", "string", cty.StringVal(d.Name)},
		variable{"master_username", "Name of the master user.", "string", cty.StringVal(d.MasterUsername)},
		variable{"instance_count", "Database instances in this Region.", "number", number(d.Instances)},
		variable{"min_acu", "Smallest capacity of an instance, in Aurora capacity units.", "number", cty.NumberFloatVal(d.MinACU)},
		variable{"max_acu", "Largest capacity of an instance, in Aurora capacity units; the same in both Regions.", "number", cty.NumberFloatVal(d.MaxACU)},
		variable{"backup_retention_days", "Days that backups are kept.", "number", number(d.BackupRetentionDays)},
		variable{"backup_window", "Daily time of backups, UTC.", "string", cty.StringVal(d.BackupWindow)},
		variable{"maintenance_window", "Weekly time of maintenance, UTC.", "string", cty.StringVal(d.MaintenanceWindow)},
		variable{"production", "Whether the rules for production hold.", "bool", cty.BoolVal(*b.c.Production)},
		variable{"deletion_protection", "Whether AWS refuses to delete the cluster.", "bool", b.protection()},
	)
	r.variables = append(r.variables, b.watching()...)
	r.variables = append(r.variables, variable{name: "global", about: "Outputs of the unit global.", kind: globalOutputs})
	r.calls = []call{
		{name: "network", path: "network", arguments: []argument{
			{"name", "var.name"},
			{"region", "var.region"},
			{"cidr", "var.cidr"},
			{"peer_region", "var.peer_region"},
			{"peer_cidr", "var.peer_cidr"},
			{"key_arn", "var.global.key_arns[var.region]"},
			{"flow_logs_role_arn", "var.global.flow_logs_role_arn"},
			{"log_retention_days", "var.log_retention_days"},
		}},
		{name: "database", path: "database", arguments: []argument{
			{"name", "var.name"},
			{"region", "var.region"},
			{"global_cluster_identifier", "var.global.global_cluster_identifier"},
			{"engine_version", "var.engine_version"},
			{"bootstrap_region", "var.bootstrap_region"},
			{"database_name", "var.database_name"},
			{"master_username", "var.master_username"},
			{"secret_arn", "var.global.master_secret_arns[var.region]"},
			{"key_arn", "var.global.key_arns[var.region]"},
			{"rds_monitoring_role_arn", "var.global.rds_monitoring_role_arn"},
			{"subnet_ids", "module.network.subnet_ids"},
			{"security_group_ids", "module.network.database_security_group_ids"},
			{"instance_count", "var.instance_count"},
			{"min_acu", "var.min_acu"},
			{"max_acu", "var.max_acu"},
			{"backup_retention_days", "var.backup_retention_days"},
			{"backup_window", "var.backup_window"},
			{"maintenance_window", "var.maintenance_window"},
			{"production", "var.production"},
			{"deletion_protection", "var.deletion_protection"},
			{"log_retention_days", "var.log_retention_days"},
		}},
		monitoring("module.database.cluster_identifier"),
		b.failover([]argument{
			{"failover_trigger_role_arn", "var.global.failover_trigger_role_arns[var.region]"},
			{"network", `{
				subnet_ids         = module.network.subnet_ids
				security_group_ids = module.network.functions_security_group_ids
			}`},
			{"database_endpoint", "module.database.endpoint"},
			{"reader_endpoint", "module.database.reader_endpoint"},
			{"writer_endpoint", "var.global.writer_endpoint"},
			{"secret_arn", "var.global.functions_secret_arns[var.region]"},
			{"master_secret_arn", "var.global.master_secret_arns[var.region]"},
		}),
	}
	r.outputs = []output{
		{"vpc_id", "The VPC.", "module.network.vpc_id"},
		{"vpc_cidr", "Addresses of the VPC.", "module.network.vpc_cidr"},
		{"route_table_ids", "Route table of each zone.", "module.network.route_table_ids"},
		{"rds_endpoint", "Interface endpoint of the RDS API.", "module.network.rds_endpoint"},
		{"dynamodb_endpoint", "Interface endpoint of DynamoDB, for the other Region.", "module.network.dynamodb_endpoint"},
		{"cluster_identifier", "This Region's member of the global cluster.", "module.database.cluster_identifier"},
		{"endpoint", "Cluster endpoint in this Region; it accepts writes only while the writer is here.", "module.database.endpoint"},
		{"reader_endpoint", "Reader endpoint in this Region.", "module.database.reader_endpoint"},
		{"topic_arn", "Topic of the alarms.", "module.monitoring.topic_arn"},
		{"role_alarm_names", "This Region's alarms about where the writer is, by member.", "module.monitoring.role_alarm_names"},
		{"role_alarm_definitions", "What those alarms compare.", "module.monitoring.role_alarm_definitions"},
		{"function_names", "The Lambda functions.", "module.failover.function_names"},
	}
}

// witnessRegion writes the unit of the third Region: a monitor that votes, without a
// network and without a database.
func (b builder) witnessRegion(r *root) {
	r.about = fmt.Sprintf("The witness in %s: a monitor that sees both Regions from a third one, and votes. It holds no data.", r.unit.Region)
	r.variables = append(r.variables,
		variable{"region", "Region that this unit stands in.", "string", cty.StringVal(r.unit.Region.String())},
		variable{"members", "Regions with a member of the global cluster.", "list(string)", regions(b.c.Members())},
		variable{"witness", "Region that gives the lease its majority.", "string", b.witness()},
	)
	r.variables = append(r.variables, b.watching()...)
	r.variables = append(r.variables, variable{name: "global", about: "Outputs of the unit global.", kind: globalOutputs})
	r.calls = []call{monitoring("null"), b.failover([]argument{
		{"failover_trigger_role_arn", "null"},
		{"network", "null"},
		{"database_endpoint", "null"},
		{"reader_endpoint", "null"},
		{"writer_endpoint", "null"},
		{"secret_arn", "null"},
		{"master_secret_arn", "null"},
	})}
	r.outputs = []output{
		{"topic_arn", "Topic of the alarms.", "module.monitoring.topic_arn"},
		{"function_names", "The Lambda functions.", "module.failover.function_names"},
	}
}

// watching are the variables of what watches and acts, in every Region.
func (b builder) watching() []variable {
	t := b.c.Thresholds
	arch := b.c.Functions.Architecture
	return []variable{
		{"notification_emails", "Addresses that alarms are sent to; each must confirm AWS's mail once.", "list(string)", texts(b.c.Notifications)},
		{"thresholds", "What people are paged for. None of it starts a failover.", `object({
			replication_lag_ms = number
			cpu_percent        = number
			connections        = number
		})`, cty.ObjectVal(map[string]cty.Value{
			"replication_lag_ms": cty.NumberIntVal(t.ReplicationLag.Milliseconds()),
			"cpu_percent":        number(t.CPUPercent),
			"connections":        number(t.Connections),
		})},
		{"architecture", "Processor of the Lambda functions.", "string", cty.StringVal(arch)},
		{"packages", "Zip of each Lambda function, relative to this folder.", `object({
			health_monitor   = string
			failover_trigger = string
		})`, cty.ObjectVal(map[string]cty.Value{
			"health_monitor":   cty.StringVal(PackagePath("health-monitor", arch)),
			"failover_trigger": cty.StringVal(PackagePath("failover-trigger", arch)),
		})},
		{"policy", "Lifeboat's dr.Policy: what counts as a lost Region, and what may be done about it.", "any", b.policy},
		{"log_retention_days", "Days that logs are kept.", "number", number(b.c.LogRetentionDays)},
	}
}

func monitoring(cluster source) call {
	return call{name: "monitoring", path: "monitoring", arguments: []argument{
		{"name", "var.name"},
		{"region", "var.region"},
		{"account_id", account},
		{"key_arn", "var.global.key_arns[var.region]"},
		{"members", "var.members"},
		{"global_cluster_identifier", "var.global.global_cluster_identifier"},
		{"cluster_identifier", cluster},
		{"notification_emails", "var.notification_emails"},
		{"thresholds", "var.thresholds"},
		{"function_names", "values(module.failover.function_names)"},
		{"dead_letter_queue_name", "module.failover.dead_letter_queue_name"},
	}}
}

// failover writes the module call of the Lambda functions; what differs between a
// member and the witness is given.
func (b builder) failover(differs []argument) call {
	return call{name: "failover", path: "failover", arguments: slices.Concat([]argument{
		{"name", "var.name"},
		{"region", "var.region"},
		{"account_id", account},
		{"members", "var.members"},
		{"witness", "var.witness"},
		{"key_arn", "var.global.key_arns[var.region]"},
		{"health_monitor_role_arn", "var.global.health_monitor_role_arns[var.region]"},
	}, differs, []argument{
		{"packages", "var.packages"},
		{"architecture", "var.architecture"},
		{"global_cluster_identifier", "var.global.global_cluster_identifier"},
		{"lease_table_name", "var.global.lease_table_name"},
		{"topic_arn", "module.monitoring.topic_arn"},
		{"policy", "jsonencode(var.policy)"},
		{"log_retention_days", "var.log_retention_days"},
	})}
}

func (b builder) protection() cty.Value { return cty.BoolVal(*b.c.Database.DeletionProtection) }

func regions(all []dr.Region) cty.Value {
	out := make([]string, len(all))
	for i, r := range all {
		out[i] = r.String()
	}
	return texts(out)
}

func texts(all []string) cty.Value {
	if len(all) == 0 {
		return cty.ListValEmpty(cty.String)
	}
	out := make([]cty.Value, len(all))
	for i, s := range all {
		out[i] = cty.StringVal(s)
	}
	return cty.ListVal(out)
}

func number(n int) cty.Value { return cty.NumberIntVal(int64(n)) }
