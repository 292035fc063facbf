package terraform_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// rule is one check of a public scanner, held against the plan of the whole default
// deployment. The scanners themselves are optional for a user; these are the floor.
type rule struct {
	id, alias string // Checkov's and Trivy's
	on        string // resource type
	what      string
	ok        func(r resource, all []resource) bool
}

func is(path string, want any) func(resource, []resource) bool {
	return func(r resource, _ []resource) bool { return fmt.Sprint(r.at(path)) == fmt.Sprint(want) }
}

func set(path string) func(resource, []resource) bool {
	return func(r resource, _ []resource) bool {
		v := r.at(path)
		return v != nil && v != "" && fmt.Sprint(v) != "[]"
	}
}

func atLeast(path string, least float64) func(resource, []resource) bool {
	return func(r resource, _ []resource) bool { n, ok := r.at(path).(float64); return ok && n >= least }
}

func oneOf(path string, allowed ...any) func(resource, []resource) bool {
	return func(r resource, _ []resource) bool { return slices.Contains(allowed, r.at(path)) }
}

func both(checks ...func(resource, []resource) bool) func(resource, []resource) bool {
	return func(r resource, all []resource) bool {
		for _, c := range checks {
			if !c(r, all) {
				return false
			}
		}
		return true
	}
}

// beside asks for a companion resource of a type that refers to this one.
func beside(kind, its, mine string, more ...func(resource, []resource) bool) func(resource, []resource) bool {
	return func(r resource, all []resource) bool {
		for _, other := range all {
			if other.Type == kind && other.Unit == r.Unit && other.at(its) != nil && other.at(its) == r.at(mine) &&
				both(more...)(other, all) {
				return true
			}
		}
		return false
	}
}

var rules = []rule{
	{"CKV_AWS_96", "AWS-0079", "aws_rds_cluster", "encrypted at rest", is("storage_encrypted", true)},
	{"CKV_AWS_327", "AWS-0079", "aws_rds_cluster", "with a key of our own", set("kms_key_id")},
	{"CKV_AWS_133", "AWS-0077", "aws_rds_cluster", "keeps backups", atLeast("backup_retention_period", 2)},
	{"CKV_AWS_139", "AWS-0343", "aws_rds_cluster", "can't be deleted by accident", is("deletion_protection", true)},
	{"CKV_AWS_162", "AWS-0176", "aws_rds_cluster", "takes IAM logins", is("iam_database_authentication_enabled", true)},
	{"CKV_AWS_313", "", "aws_rds_cluster", "copies tags to snapshots", is("copy_tags_to_snapshot", true)},
	{"CKV_AWS_324", "", "aws_rds_cluster", "exports logs", set("enabled_cloudwatch_logs_exports")},
	{"CKV_AWS_325", "", "aws_rds_cluster", "exports the audit log", has("enabled_cloudwatch_logs_exports", "audit")},
	{"CKV_AWS_326", "", "aws_rds_cluster", "can be backtracked", atLeast("backtrack_window", 1)},
	{"CKV2_AWS_8", "", "aws_rds_cluster", "is in a plan of AWS Backup", beside("aws_backup_selection", "resources", "arn")},
	{"CKV_AWS_140", "", "aws_rds_global_cluster", "encrypted at rest", is("storage_encrypted", true)},
	{"CKV_AWS_17", "AWS-0180", "aws_rds_cluster_instance", "has no public address", is("publicly_accessible", false)},
	{"CKV_AWS_118", "", "aws_rds_cluster_instance", "is monitored closely", oneOf("monitoring_interval", 1.0, 5.0, 10.0, 15.0, 30.0, 60.0)},
	{"CKV_AWS_226", "", "aws_rds_cluster_instance", "takes minor versions", is("auto_minor_version_upgrade", true)},
	{"CKV_AWS_353", "AWS-0133", "aws_rds_cluster_instance", "has Performance Insights", is("performance_insights_enabled", true)},
	{"CKV_AWS_354", "AWS-0078", "aws_rds_cluster_instance", "encrypts Performance Insights", set("performance_insights_kms_key_id")},

	{"CKV2_AWS_11", "AWS-0178", "aws_vpc", "has flow logs", beside("aws_flow_log", "vpc_id", "id")},
	{"CKV2_AWS_12", "AWS-0173", "aws_vpc", "empties the default security group", beside("aws_default_security_group", "vpc_id", "id", closed)},
	{"CKV_AWS_130", "AWS-0164", "aws_subnet", "gives out no public address", is("map_public_ip_on_launch", false)},
	{"CKV_AWS_23", "AWS-0099", "aws_security_group", "is described", described},
	{"CKV_AWS_23", "AWS-0124", "aws_vpc_security_group_ingress_rule", "is described", described},
	{"CKV_AWS_23", "AWS-0124", "aws_vpc_security_group_egress_rule", "is described", described},
	{"CKV_AWS_277", "AWS-0107", "aws_vpc_security_group_ingress_rule", "is not open to the world", notTheWorld("cidr_ipv4")},
	{"CKV_AWS_382", "AWS-0104", "aws_vpc_security_group_egress_rule", "is not open to the world", notTheWorld("cidr_ipv4")},
	{"CKV2_AWS_5", "", "aws_security_group", "is attached to something", attached},
	{"CKV2_AWS_44", "", "aws_route", "leads to the peer and nowhere else", notTheWorld("destination_cidr_block")},

	{"CKV2_AWS_23", "", "aws_route53_record", "names what stands in the same unit", func(r resource, all []resource) bool {
		target := r.at("alias.0.name")
		return r.at("type") != "A" || slices.ContainsFunc(all, func(other resource) bool {
			return other.Unit == r.Unit && other.Type == "aws_vpc_endpoint" && target == other.at("dns_entry.0.dns_name")
		})
	}},

	{"CKV_AWS_50", "AWS-0066", "aws_lambda_function", "is traced", is("tracing_config.0.mode", "Active")},
	{"CKV_AWS_115", "", "aws_lambda_function", "has a limit of its own", atLeast("reserved_concurrent_executions", 1)},
	{"CKV_AWS_116", "", "aws_lambda_function", "has a dead-letter queue", set("dead_letter_config.0.target_arn")},
	{"CKV_AWS_117", "", "aws_lambda_function", "stands in the VPC", set("vpc_config.0.subnet_ids")},
	{"CKV_AWS_173", "", "aws_lambda_function", "encrypts its environment", set("kms_key_arn")},
	{"CKV_AWS_272", "", "aws_lambda_function", "is signed", set("code_signing_config_arn")},
	{"CKV_AWS_363", "", "aws_lambda_function", "runs a supported runtime", is("runtime", "provided.al2023")},
	{"CKV_AWS_45", "", "aws_lambda_function", "has no secret in its environment", noSecret("environment")},
	{"CKV_AWS_301", "AWS-0067", "aws_lambda_permission", "names a principal", func(r resource, _ []resource) bool {
		return !strings.Contains(fmt.Sprint(r.at("principal")), "*")
	}},
	{"CKV_AWS_364", "AWS-0067", "aws_lambda_permission", "names who calls", set("source_arn")},
	{"CKV_AWS_66", "", "aws_cloudwatch_log_group", "is not kept for ever", set("retention_in_days")},
	{"CKV_AWS_338", "", "aws_cloudwatch_log_group", "is kept for a year", atLeast("retention_in_days", 365)},
	{"CKV_AWS_158", "AWS-0017", "aws_cloudwatch_log_group", "is encrypted", set("kms_key_id")},
	{"CKV_AWS_319", "", "aws_cloudwatch_metric_alarm", "acts", func(r resource, _ []resource) bool { return r.at("actions_enabled") != false }},
	{"CKV_AWS_26", "AWS-0095", "aws_sns_topic", "is encrypted with a key of our own", ownKey("kms_master_key_id")},
	{"CKV_AWS_169", "", "aws_sns_topic_policy", "admits no wildcard principal", closedPolicy("policy")},
	{"CKV_AWS_27", "AWS-0096", "aws_sqs_queue", "is encrypted with a key of our own", ownKey("kms_master_key_id")},
	{"CKV_AWS_168", "AWS-0097", "aws_sqs_queue_policy", "admits no wildcard principal", closedPolicy("policy")},
	{"CKV_AWS_28", "AWS-0024", "aws_dynamodb_table", "can be restored to a point in time", is("point_in_time_recovery.0.enabled", true)},
	{"CKV_AWS_119", "AWS-0025", "aws_dynamodb_table", "is encrypted with a key of our own", set("server_side_encryption.0.kms_key_arn")},

	{"CKV_AWS_7", "AWS-0065", "aws_kms_key", "rotates", is("enable_key_rotation", true)},
	{"CKV2_AWS_64", "", "aws_kms_key", "has a policy", set("policy")},
	{"CKV_AWS_33", "", "aws_kms_key", "admits no wildcard principal", closedPolicy("policy")},
	{"CKV_AWS_60", "", "aws_iam_role", "is taken on by a named service", closedPolicy("assume_role_policy")},
	{"CKV_AWS_62", "", "aws_iam_role_policy", "allows no action in general", noWildAction("policy")},
	{"CKV_AWS_355", "AWS-0057", "aws_iam_role_policy", "names every resource that can be named", namedResources("policy")},
	{"CKV_AWS_149", "AWS-0098", "aws_secretsmanager_secret", "is encrypted with a key of our own", set("kms_key_id")},
	{"CKV2_AWS_57", "", "aws_secretsmanager_secret", "rotates by itself", beside("aws_secretsmanager_secret_rotation", "secret_id", "id")},

	{"CKV_AWS_21", "AWS-0090", "aws_s3_bucket", "keeps versions", beside("aws_s3_bucket_versioning", "bucket", "bucket", is("versioning_configuration.0.status", "Enabled"))},
	{"CKV_AWS_145", "AWS-0132", "aws_s3_bucket", "is encrypted with a key of our own", beside("aws_s3_bucket_server_side_encryption_configuration", "bucket", "bucket", set("rule.0.apply_server_side_encryption_by_default.0.kms_master_key_id"))},
	{"CKV_AWS_144", "", "aws_s3_bucket", "is replicated to another Region", beside("aws_s3_bucket_replication_configuration", "bucket", "bucket", is("rule.0.delete_marker_replication.0.status", "Enabled"))},
	{"CKV_AWS_18", "AWS-0089", "aws_s3_bucket", "logs who asks", beside("aws_s3_bucket_logging", "bucket", "bucket")},
	{"CKV2_AWS_6", "AWS-0094", "aws_s3_bucket", "is closed to the public", beside("aws_s3_bucket_public_access_block", "bucket", "bucket",
		is("block_public_acls", true), is("block_public_policy", true), is("ignore_public_acls", true), is("restrict_public_buckets", true))},
	{"CKV2_AWS_61", "", "aws_s3_bucket", "has a lifecycle", beside("aws_s3_bucket_lifecycle_configuration", "bucket", "bucket")},
	{"CKV2_AWS_62", "", "aws_s3_bucket", "tells what happens in it", beside("aws_s3_bucket_notification", "bucket", "bucket")},
	{"CKV2_AWS_65", "", "aws_s3_bucket", "has no ACLs", beside("aws_s3_bucket_ownership_controls", "bucket", "bucket", is("rule.0.object_ownership", "BucketOwnerEnforced"))},
	{"CKV_AWS_379", "AWS-0320", "aws_s3_bucket", "refuses what is not TLS", beside("aws_s3_bucket_policy", "bucket", "bucket", tlsOnly)},
	{"CKV_AWS_70", "", "aws_s3_bucket_policy", "allows no wildcard principal", closedPolicy("policy")},
	{"CKV_AWS_300", "", "aws_s3_bucket_lifecycle_configuration", "ends uploads that were left", func(r resource, _ []resource) bool {
		return strings.Contains(fmt.Sprint(r.Values["rule"]), "days_after_initiation")
	}},
	{"CKV_AWS_143", "", "aws_s3_bucket", "locks its objects", is("object_lock_enabled", true)},
}

// Every rule holds for every resource of the default deployment, or the resource
// says beside it why not; and no resource excuses what it doesn't violate.
func TestScannerRules(t *testing.T) {
	d := deployed(t)
	all := d.resources
	waived := waivers(t)
	seen := map[string]bool{}
	used := map[string]bool{}
	for _, rl := range rules {
		for _, r := range all {
			if r.Type != rl.on {
				continue
			}
			seen[rl.id+" "+rl.on] = true
			if rl.ok(r, all) {
				continue
			}
			key := r.place() + " " + rl.id
			used[key] = true
			require.NotEmpty(t, waived[key], "%s (%s): %s must hold: %s. Mend it, or write `#checkov:skip=%s:reason` into the block", rl.id, rl.alias, r.Address, rl.what, rl.id)
		}
	}
	for _, rl := range rules {
		require.True(t, seen[rl.id+" "+rl.on], "%s looks at no resource: there is no %s", rl.id, rl.on)
	}
	for key, reason := range waived {
		require.GreaterOrEqual(t, len(strings.Fields(reason)), 4, "%s: give the reason", key)
		require.True(t, used[key], "%s is excused and not violated, or no rule of ours knows it", key)
	}
}

func has(path, want string) func(resource, []resource) bool {
	return func(r resource, _ []resource) bool {
		list, _ := r.at(path).([]any)
		return slices.Contains(list, any(want))
	}
}

func described(r resource, _ []resource) bool {
	s, _ := r.at("description").(string)
	return len(s) > 10 && s != "Managed by Terraform"
}

func closed(r resource, _ []resource) bool {
	return fmt.Sprint(r.at("ingress")) == "[]" && fmt.Sprint(r.at("egress")) == "[]"
}

func notTheWorld(path string) func(resource, []resource) bool {
	return func(r resource, _ []resource) bool {
		s, _ := r.at(path).(string)
		if v6, _ := r.at("cidr_ipv6").(string); v6 != "" {
			return false // the VPCs have no IPv6
		}
		if v6, _ := r.at("destination_ipv6_cidr_block").(string); v6 != "" {
			return false
		}
		if s == "" {
			return r.Type != "aws_route" // a rule may name a group or a prefix list
		}
		p, err := netip.ParsePrefix(s)
		return err == nil && p.Bits() >= 8
	}
}

// attached: a security group that nothing carries protects nothing.
func attached(r resource, all []resource) bool {
	id, _ := r.at("id").(string)
	for _, other := range all {
		switch other.Type {
		case "aws_rds_cluster":
			if has("vpc_security_group_ids", id)(other, nil) {
				return true
			}
		case "aws_vpc_endpoint":
			if has("security_group_ids", id)(other, nil) {
				return true
			}
		case "aws_lambda_function":
			if has("vpc_config.0.security_group_ids", id)(other, nil) {
				return true
			}
		}
	}
	return false
}

func ownKey(path string) func(resource, []resource) bool {
	return func(r resource, _ []resource) bool {
		s, _ := r.at(path).(string)
		return s != "" && !strings.HasPrefix(s, "alias/aws/")
	}
}

func noSecret(path string) func(resource, []resource) bool {
	return func(r resource, _ []resource) bool {
		s := strings.ToLower(fmt.Sprint(r.at(path)))
		return !strings.Contains(s, "password") && !strings.Contains(s, "akia")
	}
}

// statement is one statement of an IAM policy, with lists everywhere.
type statement struct {
	Sid, Effect            string
	Action, Resource       texts
	Principal              any
	NotPrincipal           any
	Condition              map[string]map[string]any
	NotAction, NotResource texts
}

type texts []string

func (t *texts) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*t = texts{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(t))
}

// statements parses the policy at a path; one that can't be read has none.
func (r resource) statements(path string) []statement {
	s, _ := r.at(path).(string)
	var doc struct{ Statement []statement }
	if json.Unmarshal([]byte(s), &doc) != nil {
		return nil
	}
	return doc.Statement
}

// closedPolicy: an Allow names its principals.
func closedPolicy(path string) func(resource, []resource) bool {
	return func(r resource, _ []resource) bool {
		all := r.statements(path)
		for _, s := range all {
			if p, _ := json.Marshal(s.Principal); s.Effect == "Allow" && strings.Contains(string(p), `"*"`) {
				return false
			}
			if s.Effect == "Allow" && (slices.Contains(s.Action, "*") || s.NotAction != nil || s.NotPrincipal != nil) {
				return false
			}
		}
		return len(all) > 0
	}
}

func noWildAction(path string) func(resource, []resource) bool {
	return func(r resource, _ []resource) bool {
		all := r.statements(path)
		for _, s := range all {
			if s.Effect == "Allow" && (s.NotAction != nil || strings.Contains(strings.Join(s.Action, " "), "*")) {
				return false // NotAction allows all but a few
			}
		}
		return len(all) > 0
	}
}

// unnamable are the actions for which AWS knows no resource (Service Authorization
// Reference): they are allowed on "*", and nothing else is.
var unnamable = []string{
	"cloudwatch:PutMetricData", "cloudwatch:GetMetricData",
	"xray:PutTraceSegments", "xray:PutTelemetryRecords",
	"ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:DescribeNetworkInterfaces",
	"ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses",
	"ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs",
	"logs:DescribeLogGroups",
}

func namedResources(path string) func(resource, []resource) bool {
	return func(r resource, _ []resource) bool {
		all := r.statements(path)
		for _, s := range all {
			if s.Effect == "Allow" && s.NotResource != nil {
				return false
			}
			if s.Effect != "Allow" || !slices.Contains(s.Resource, "*") {
				continue
			}
			for _, a := range s.Action {
				if !slices.Contains(unnamable, a) {
					return false
				}
			}
		}
		return len(all) > 0
	}
}

func tlsOnly(r resource, _ []resource) bool {
	for _, s := range r.statements("policy") {
		if s.Effect == "Deny" && s.Condition["Bool"]["aws:SecureTransport"] != nil {
			return true
		}
	}
	return false
}
