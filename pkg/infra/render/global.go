package render

import "github.com/zclconf/go-cty/cty"

// The types of what one unit's outputs look like to those that need them.
const (
	globalOutputs source = `object({
		global_cluster_identifier   = string
		writer_endpoint             = string
		master_secret_arns          = map(string)
		functions_secret_arns       = map(string)
		lease_table_name            = string
		key_arns                    = map(string)
		health_monitor_role_arns    = map(string)
		failover_trigger_role_arns  = map(string)
		rds_monitoring_role_arn     = string
		flow_logs_role_arn          = string
	})`
	regionOutputs source = `object({
		vpc_id                 = string
		vpc_cidr               = string
		route_table_ids        = list(string)
		rds_endpoint           = object({ dns_name = string, hosted_zone_id = string })
		dynamodb_endpoint      = object({ dns_name = string })
		endpoint               = string
		role_alarm_names       = map(string)
		role_alarm_definitions = map(string)
	})`
)

func (b builder) state(r *root) {
	r.about = "The buckets that hold the Terraform states, one in each Region, replicated both ways. Apply this unit first; its own state moves into the bucket afterwards."
	r.variables = append(r.variables,
		variable{"state_bucket", "Base name of the buckets; the Region is appended.", "string", cty.StringVal(b.c.StateBucket)},
		variable{"regions", "Regions that get a bucket.", "list(string)", regions(b.c.Members())},
	)
	r.providers = append(r.providers, provider{"first", "var.regions[0]"}, provider{"second", "var.regions[1]"})
	r.calls = []call{{
		name: "state", path: "state",
		providers: []argument{{"aws.first", "aws.first"}, {"aws.second", "aws.second"}},
		arguments: []argument{
			{"name", "var.name"},
			{"account_id", account},
			{"bucket", "var.state_bucket"},
			{"regions", "var.regions"},
		},
	}}
	r.outputs = []output{
		{"buckets", "Bucket by Region.", "module.state.buckets"},
		{"key_arns", "KMS key of the bucket by Region.", "module.state.key_arns"},
	}
}

func (b builder) global(r *root) {
	r.about = "What belongs to no Region: every key and role, the global cluster with its logins, and the lease that decides which Region may write."
	r.variables = append(r.variables,
		variable{"home_region", "Region in which the global cluster, the secrets and the table are managed. It says nothing about where the writer is.", "string", cty.StringVal(b.c.AWSRegion.String())},
		variable{"members", "Regions with a member of the global cluster.", "list(string)", regions(b.c.Members())},
		variable{"witness", "Region that gives the lease its majority; null means none.", "string", b.witness()},
		variable{"engine_version", "Aurora MySQL version, the same in every Region.", "string", cty.StringVal(b.c.Database.EngineVersion)},
		variable{"database_name", "Database that is created with the global cluster.", "string", cty.StringVal(b.c.Database.Name)},
		variable{"master_username", "Name of the master user.", "string", cty.StringVal(b.c.Database.MasterUsername)},
		variable{"deletion_protection", "Whether AWS refuses to delete the global cluster and the lease table.", "bool", b.protection()},
		variable{"secret_recovery_days", "Days that a deleted secret can be brought back; 0 frees its name at once.", "number", number(b.recoveryDays())},
	)
	r.calls = []call{
		{name: "access", path: "access", arguments: []argument{
			{"name", "var.name"},
			{"account_id", account},
			{"members", "var.members"},
			{"witness", "var.witness"},
		}},
		{name: "database", path: "database/global", arguments: []argument{
			{"name", "var.name"},
			{"home_region", "var.home_region"},
			{"members", "var.members"},
			{"key_arns", "module.access.key_arns"},
			{"engine_version", "var.engine_version"},
			{"database_name", "var.database_name"},
			{"master_username", "var.master_username"},
			{"deletion_protection", "var.deletion_protection"},
			{"secret_recovery_days", "var.secret_recovery_days"},
		}},
		{name: "lease", path: "lease", arguments: []argument{
			{"name", "var.name"},
			{"home_region", "var.home_region"},
			{"members", "var.members"},
			{"witness", "var.witness"},
			{"key_arns", "module.access.key_arns"},
			{"deletion_protection", "var.deletion_protection"},
		}},
	}
	r.outputs = []output{
		{"global_cluster_identifier", "Identifier of the global cluster.", "module.database.global_cluster_identifier"},
		{"writer_endpoint", "Aurora's global writer endpoint: what applications connect to.", "module.database.writer_endpoint"},
		{"master_secret_arns", "Secret of the master login by Region.", "module.database.master_secret_arns"},
		{"functions_secret_arns", "Secret of the functions' login by Region.", "module.database.functions_secret_arns"},
		{"lease_table_name", "Name of the lease table.", "module.lease.table_name"},
		{"key_arns", "KMS key by Region.", "module.access.key_arns"},
		{"health_monitor_role_arns", "Role of the health monitor by Region.", "module.access.health_monitor_role_arns"},
		{"failover_trigger_role_arns", "Role of the failover trigger by Region.", "module.access.failover_trigger_role_arns"},
		{"rds_monitoring_role_arn", "Role of RDS Enhanced Monitoring.", "module.access.rds_monitoring_role_arn"},
		{"flow_logs_role_arn", "Role of the VPC flow logs.", "module.access.flow_logs_role_arn"},
	}
}

func (b builder) witness() cty.Value {
	if b.c.Witness() == "" {
		return cty.NullVal(cty.String)
	}
	return cty.StringVal(b.c.Witness().String())
}

// recoveryDays: outside production a name must be free for the next deployment.
func (b builder) recoveryDays() int {
	if *b.c.Production {
		return 30
	}
	return 0
}
