package terraform_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/internal/tftest"
)

// The origin's 30 faults (an earlier solution of the same task, read in full) each
// have a test whose name says which. Those that show in a plan are here; the others
// stand with the code that they are about.
func TestEveryFaultOfTheOriginHasATest(t *testing.T) {
	named := regexp.MustCompile(`func TestFault(\d\d)|t\.Run\("fault (\d\d)`)
	guarded := map[int]string{}
	require.NoError(t, filepath.WalkDir("..", func(path string, e fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		for _, found := range named.FindAllStringSubmatch(string(data), -1) {
			n, err := strconv.Atoi(found[1] + found[2])
			require.NoError(t, err)
			guarded[n] = path
		}
		return nil
	}))
	for n := 1; n <= 30; n++ {
		require.NotEmpty(t, guarded[n], "no test guards fault %d", n)
	}
	require.Len(t, guarded, 30)
}

// members calls a check for each member Region's unit.
func (d *deployment) members(t *testing.T, check func(t *testing.T, unit, region string)) {
	for _, r := range d.config.Members() {
		t.Run(r.String(), func(t *testing.T) { check(t, "region-"+r.String(), r.String()) })
	}
}

func (d *deployment) in(unit, kind string) []resource {
	return slices.DeleteFunc(d.of(kind), func(r resource) bool { return r.Unit != unit })
}

func one(t *testing.T, all []resource, name string) resource {
	t.Helper()
	for _, r := range all {
		for _, by := range []string{"function_name", "alarm_name", "name"} {
			if v, _ := r.at(by).(string); v != "" && strings.HasSuffix(v, name) {
				return r
			}
		}
	}
	require.Fail(t, "no such resource", name)
	return resource{}
}

// Nothing called the trigger: "automatic failover" was a command to type.
func TestFault02TheTriggerIsWired(t *testing.T) {
	d := deployed(t)
	d.members(t, func(t *testing.T, unit, region string) {
		trigger := one(t, d.in(unit, "aws_lambda_function"), "failover-trigger")
		monitor := one(t, d.in(unit, "aws_lambda_function"), "health-monitor")
		alarm := one(t, d.in(unit, "aws_cloudwatch_metric_alarm"), "-impaired")
		require.Contains(t, alarm.at("alarm_actions"), trigger.at("arn"))
		var invokers []string
		for _, p := range d.in(unit, "aws_lambda_permission") {
			invokers = append(invokers, fmt.Sprint(p.at("principal"), " ", p.at("function_name")))
		}
		require.Contains(t, invokers, fmt.Sprint("lambda.alarms.cloudwatch.amazonaws.com ", trigger.at("function_name")))
		require.Contains(t, invokers, fmt.Sprint("events.amazonaws.com ", monitor.at("function_name")))
		rule := d.in(unit, "aws_cloudwatch_event_rule")
		require.Len(t, rule, 1)
		require.Equal(t, "rate(1 minute)", rule[0].at("schedule_expression"))
		require.Equal(t, monitor.at("arn"), d.in(unit, "aws_cloudwatch_event_target")[0].at("arn"))
	})
}

// The trigger lived in us-east-1 alone, and so did the state.
func TestFault03EverythingStandsInBothRegions(t *testing.T) {
	d := deployed(t)
	kinds := map[string]map[string]int{}
	d.members(t, func(t *testing.T, unit, region string) {
		kinds[region] = map[string]int{}
		for _, r := range d.resources {
			if r.Unit == unit {
				kinds[region][r.place()]++
			}
		}
		one(t, d.in(unit, "aws_lambda_function"), "failover-trigger")
	})
	require.Equal(t, kinds["us-east-1"], kinds["us-west-2"])
	var buckets []string
	for _, b := range d.of("aws_s3_bucket") {
		buckets = append(buckets, fmt.Sprint(b.at("bucket")))
	}
	require.ElementsMatch(t, []string{"lifeboat-demo-state-us-east-1", "lifeboat-demo-state-us-west-2"}, buckets)
}

// The Lambdas stood in a VPC without a way to any AWS API. The services are read from
// the code, so no new call can be forgotten.
func TestFault04EveryServiceThatAFunctionCallsHasAnEndpoint(t *testing.T) {
	d := deployed(t)
	endpoint := map[string]string{
		"cloudwatch": "monitoring", "rds": "rds", "dynamodb": "dynamodb", "sns": "sns",
		"secretsmanager": "secretsmanager", "lambda": "lambda",
	}
	need := []string{"logs"} // what Lambda writes
	for method, actions := range awsCalls(t) {
		for _, a := range actions {
			service, _, _ := strings.Cut(a, ":")
			require.Contains(t, endpoint, service, "%s calls %s: which endpoint is that?", method, a)
			need = append(need, endpoint[service])
		}
	}
	d.members(t, func(t *testing.T, unit, region string) {
		var have []string
		peers := 0
		for _, e := range d.in(unit, "aws_vpc_endpoint") {
			service := strings.TrimPrefix(fmt.Sprint(e.at("service_name")), "com.amazonaws."+region+".")
			if service == "dynamodb" && e.at("vpc_endpoint_type") == "Interface" {
				// For the other Region's functions, under its own name; the Region's own
				// keep the gateway.
				require.Equal(t, false, e.at("private_dns_enabled"), e.Address)
				require.Len(t, e.at("subnet_ids"), 3, e.Address)
				peers++
				continue
			}
			have = append(have, service)
			if e.at("vpc_endpoint_type") == "Interface" {
				require.Equal(t, true, e.at("private_dns_enabled"), e.Address)
				require.Len(t, e.at("subnet_ids"), 3, e.Address)
			} else {
				require.Len(t, e.at("route_table_ids"), 3, e.Address)
			}
		}
		require.Equal(t, 1, peers, "the other Region reaches this replica of the lease table")
		require.ElementsMatch(t, slices.Compact(slices.Sorted(slices.Values(need))), have, "an endpoint that no function needs costs by the hour")
		require.Empty(t, d.in(unit, "aws_internet_gateway"))
		require.Empty(t, d.in(unit, "aws_nat_gateway"))
	})
	// The other Region's RDS API is asked by its own name over the peering.
	zones := []string{}
	for _, z := range d.in("link", "aws_route53_zone") {
		zones = append(zones, fmt.Sprint(z.at("name")))
	}
	require.Subset(t, zones, []string{"rds.us-east-1.amazonaws.com", "rds.us-west-2.amazonaws.com"})
	// Its replica of the lease table is found by the CNAME that package boot looks up.
	var aliases []string
	for _, r := range d.in("link", "aws_route53_record") {
		if strings.HasPrefix(fmt.Sprint(r.at("name")), "dynamodb.") {
			require.Equal(t, "CNAME", r.at("type"), r.Address)
			aliases = append(aliases, fmt.Sprint(r.at("name")))
		}
	}
	require.ElementsMatch(t, aliases, []string{"dynamodb.us-east-1.lifeboat.internal", "dynamodb.us-west-2.lifeboat.internal"})
}

// Health checks steered nothing: there was no zone and no record.
func TestFault05RecordsFollowHealthChecks(t *testing.T) {
	d := deployed(t)
	checks := map[any]resource{}
	for _, c := range d.of("aws_route53_health_check") {
		checks[c.at("id")] = c
	}
	require.Len(t, checks, 2)
	endpoints := map[any]bool{}
	for _, r := range d.of("aws_route53_record") {
		if r.at("type") != "CNAME" || strings.HasPrefix(fmt.Sprint(r.at("name")), "dynamodb.") {
			continue
		}
		require.Equal(t, "db.demo.lifeboat.internal", r.at("name"))
		require.Equal(t, 5.0, r.at("ttl"))
		check, ok := checks[r.at("health_check_id")]
		require.True(t, ok, r.Address)
		require.Equal(t, "CLOUDWATCH_METRIC", check.at("type"))
		require.NotEqual(t, r.at("set_identifier"), check.at("cloudwatch_alarm_region"), "a Region that is gone can't say so")
		endpoints[r.at("records.0")] = true
	}
	require.Len(t, endpoints, 2)
}

// The lag alarm stood where the metric is not, and no data counted as healthy.
func TestFault06LagAlarmsStandInBothRegionsAndSilenceIsNoticed(t *testing.T) {
	d := deployed(t)
	d.members(t, func(t *testing.T, unit, region string) {
		alarms := d.in(unit, "aws_cloudwatch_metric_alarm")
		for _, name := range []string{"-lag", "-lag-silent"} {
			a := one(t, alarms, name)
			require.Equal(t, "AuroraGlobalDBRPOLag", a.at("metric_name"))
			require.Equal(t, map[string]any{"DBClusterIdentifier": "lifeboat-demo-" + region}, a.at("dimensions"), "its own cluster, by the only dimension that AWS has for it")
		}
		require.Equal(t, 500.0, one(t, alarms, "-lag").at("threshold"))
		require.Equal(t, "breaching", one(t, alarms, "-lag-silent").at("treat_missing_data"))
		both := one(t, d.in(unit, "aws_cloudwatch_composite_alarm"), "-lag-unmeasured")
		require.Contains(t, both.at("alarm_rule"), "lag-silent")
		require.NotEmpty(t, both.at("alarm_actions"))
	})
}

// The monitor returned its errors as answers, and no alarm watched the monitor.
func TestFault10TheWatcherIsWatched(t *testing.T) {
	d := deployed(t)
	for _, u := range d.config.Units() {
		functions := d.in(u.Name, "aws_lambda_function")
		if len(functions) == 0 {
			continue
		}
		alarms := d.in(u.Name, "aws_cloudwatch_metric_alarm")
		silent := one(t, alarms, "-monitor-silent")
		require.Equal(t, "breaching", silent.at("treat_missing_data"))
		require.NotEmpty(t, silent.at("alarm_actions"))
		for _, f := range functions {
			for _, metric := range []string{"Errors", "Throttles"} {
				require.True(t, slices.ContainsFunc(alarms, func(a resource) bool {
					return a.at("metric_name") == metric && a.at("dimensions.FunctionName") == f.at("function_name")
				}), "%s has no alarm on %s", f.at("function_name"), metric)
			}
			require.NotEmpty(t, f.at("dead_letter_config.0.target_arn"))
		}
		require.NotEmpty(t, one(t, alarms, "-dead-letters").at("alarm_actions"))
	}
}

// A busy standby was declared down.
func TestFault11LoadSteersNothing(t *testing.T) {
	d := deployed(t)
	alarms := map[any]string{}
	for _, a := range d.of("aws_cloudwatch_metric_alarm") {
		alarms[a.at("alarm_name")] = fmt.Sprint(a.at("metric_name"))
		if m := a.at("metric_name"); m == "CPUUtilization" || m == "DatabaseConnections" {
			for _, action := range a.at("alarm_actions").([]any) {
				require.Contains(t, action, ":sns:", "%s calls people and nothing else", a.Address)
			}
		}
	}
	for _, c := range d.of("aws_route53_health_check") {
		require.Equal(t, "WriterHere", alarms[c.at("cloudwatch_alarm_name")])
	}
}

func (d *deployment) parameter(r resource, name string) string {
	all, _ := r.at("parameter").([]any)
	for _, p := range all {
		if m := p.(map[string]any); m["name"] == name {
			return fmt.Sprint(m["value"])
		}
	}
	return ""
}

// "All traffic encrypted" was said and not enforced.
func TestFault17TLSIsEnforced(t *testing.T) {
	d := deployed(t)
	d.members(t, func(t *testing.T, unit, region string) {
		groups := d.in(unit, "aws_rds_cluster_parameter_group")
		require.Len(t, groups, 1)
		require.Equal(t, "ON", d.parameter(groups[0], "require_secure_transport"))
		require.Equal(t, groups[0].at("name"), d.in(unit, "aws_rds_cluster")[0].at("db_cluster_parameter_group_name"))
	})
}

// There was no lock of any kind.
func TestFault21EveryStateIsLockedAndEncrypted(t *testing.T) {
	d := deployed(t)
	for _, u := range d.config.Units() {
		data, err := os.ReadFile(filepath.Join(d.dir, u.Name, "versions.tf"))
		require.NoError(t, err)
		require.Regexp(t, `use_lockfile = true`, string(data), u.Name)
		require.Regexp(t, `encrypt      = true`, string(data), u.Name)
		require.NotContains(t, string(data), "dynamodb_table")
		require.Contains(t, string(data), fmt.Sprintf("%q", "lifeboat-demo-state-"+u.StateRegion.String()))
	}
}

// Nothing was encrypted at rest.
func TestFault23EverythingIsEncryptedWithTheRegionsOwnKey(t *testing.T) {
	d := deployed(t)
	require.Equal(t, true, d.of("aws_rds_global_cluster")[0].at("storage_encrypted"))
	d.members(t, func(t *testing.T, unit, region string) {
		for kind, path := range map[string]string{
			"aws_rds_cluster": "kms_key_id", "aws_sns_topic": "kms_master_key_id", "aws_sqs_queue": "kms_master_key_id",
			"aws_lambda_function": "kms_key_arn", "aws_cloudwatch_log_group": "kms_key_id", "aws_rds_cluster_instance": "performance_insights_kms_key_id",
		} {
			found := d.in(unit, kind)
			require.NotEmpty(t, found, kind)
			for _, r := range found {
				require.Contains(t, r.at(path), "arn:aws:kms:"+region+":", r.Address)
			}
		}
	})
}

// Logs were exported that were never written.
func TestFault24LogsAreWrittenBeforeTheyAreExported(t *testing.T) {
	d := deployed(t)
	d.members(t, func(t *testing.T, unit, region string) {
		all := d.in(unit, "aws_rds_cluster_parameter_group")[0]
		each := d.in(unit, "aws_db_parameter_group")[0]
		require.Equal(t, "1", d.parameter(all, "server_audit_logging"))
		require.NotEmpty(t, d.parameter(all, "server_audit_events"))
		for _, name := range []string{"general_log", "slow_query_log", "long_query_time"} {
			require.Equal(t, "1", d.parameter(each, name), name)
		}
		for _, i := range d.in(unit, "aws_rds_cluster_instance") {
			require.Equal(t, each.at("name"), i.at("db_parameter_group_name"))
		}
		cluster := d.in(unit, "aws_rds_cluster")[0]
		require.ElementsMatch(t, []any{"audit", "error", "general", "slowquery"}, cluster.at("enabled_cloudwatch_logs_exports"))
		var groups []string
		for _, g := range d.in(unit, "aws_cloudwatch_log_group") {
			groups = append(groups, fmt.Sprint(g.at("name")))
		}
		for _, log := range []string{"audit", "error", "general", "slowquery"} {
			require.Contains(t, groups, "/aws/rds/cluster/lifeboat-demo-"+region+"/"+log)
		}
	})
}

// One instance of one capacity unit: an outage of a zone was an outage.
func TestFault26EachRegionCanCarryTheLoad(t *testing.T) {
	d := deployed(t)
	shape := map[string]any{}
	d.members(t, func(t *testing.T, unit, region string) {
		require.GreaterOrEqual(t, len(d.in(unit, "aws_rds_cluster_instance")), 2)
		shape[region] = d.in(unit, "aws_rds_cluster")[0].at("serverlessv2_scaling_configuration")
		require.NotNil(t, shape[region])
	})
	require.Equal(t, shape["us-east-1"], shape["us-west-2"], "either can become the writer's")
}

// Alerts went to a topic without a subscriber.
func TestFault27AlertsReachPeopleAndLogsAreKept(t *testing.T) {
	d := deployed(t)
	for _, u := range d.config.Units() {
		topics := d.in(u.Name, "aws_sns_topic")
		if len(topics) == 0 {
			continue
		}
		subscriptions := d.in(u.Name, "aws_sns_topic_subscription")
		require.Len(t, subscriptions, 1, u.Name)
		require.Equal(t, topics[0].at("arn"), subscriptions[0].at("topic_arn"))
		require.Equal(t, "oncall@example.com", subscriptions[0].at("endpoint"))
		for _, f := range d.in(u.Name, "aws_lambda_function") {
			require.Equal(t, "Active", f.at("tracing_config.0.mode"))
			group := one(t, d.in(u.Name, "aws_cloudwatch_log_group"), "/aws/lambda/"+fmt.Sprint(f.at("function_name")))
			require.Equal(t, 365.0, group.at("retention_in_days"))
		}
	}
}

// The README named a security group for the other Region that did not exist.
func TestFault29TheInterRegionGroupIsThereAndUsed(t *testing.T) {
	d := deployed(t)
	d.members(t, func(t *testing.T, unit, region string) {
		var id any
		for _, g := range d.in(unit, "aws_security_group") {
			if strings.HasSuffix(fmt.Sprint(g.at("name")), "inter-region") {
				id = g.at("id")
			}
		}
		require.NotNil(t, id)
		require.Contains(t, d.in(unit, "aws_rds_cluster")[0].at("vpc_security_group_ids"), id)
		peer := map[string]string{"us-east-1": "10.1.0.0/16", "us-west-2": "10.0.0.0/16"}[region]
		var admits []any
		for _, r := range d.in(unit, "aws_vpc_security_group_ingress_rule") {
			if r.at("security_group_id") == id {
				admits = append(admits, r.at("cidr_ipv4"))
				require.Equal(t, 3306.0, r.at("from_port"))
			}
		}
		require.Equal(t, []any{peer}, admits)
	})
}

// The first draft did not even synthesise.
func TestFault30EveryUnitOfTheShownStackIsValid(t *testing.T) {
	t.Parallel()
	tftest.Provider(t)
	dir := t.TempDir()
	tftest.Write(t, os.DirFS("."), dir)
	units, err := filepath.Glob(filepath.Join(dir, "stacks", "default", "*", "versions.tf"))
	require.NoError(t, err)
	require.Len(t, units, 6)
	for _, u := range units {
		name := filepath.Base(filepath.Dir(u))
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tftest.Must(t, filepath.Dir(u), "init", "-backend=false", "-input=false")
			require.Contains(t, tftest.Must(t, filepath.Dir(u), "validate", "-json"), `"valid": true`)
		})
	}
}
