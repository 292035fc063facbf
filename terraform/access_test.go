package terraform_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// duties are what each function does, in the words of the code. What it may do follows
// from it: the actions in its role are derived from this code.
var duties = map[string][]string{
	"health-monitor": {
		"dynamo.Store.ReadLease", "dynamo.Store.RenewLease", "dynamo.Store.ReleaseLease", "dynamo.Store.Publish", "dynamo.Store.Reports",
		"dynamo.Store.ReadMonitorLease", "dynamo.Store.WriteMonitorLease",
		"aurora.Control.Probe", "aurora.Isolator.Refresh", "aurora.Isolator.Isolate",
		"cloudwatch.RPOLag.Lag", "cloudwatch.Role.Redirect", "notify.Topic.Notify",
		"dynamo.Store.TakeLease", "aurora.Cluster.Describe", // the first lease of a new deployment
		"dynamo.Store.Announce", "dynamo.Store.Address",
		"boot.Login.Account", "boot.Login.Prepare", "invoker.Invoker.Ask",
	},
	// The witness has no database to fence and no replica to be read as its own.
	"witness": {
		"dynamo.Store.ReadLease", "dynamo.Store.Publish", "dynamo.Store.Reports",
		"dynamo.Store.ReadMonitorLease", "dynamo.Store.WriteMonitorLease",
		"aurora.Control.Probe", "notify.Topic.Notify",
	},
	"failover-trigger": {
		"dynamo.Store.ReadLease", "dynamo.Store.TakeLease", "dynamo.Store.Publish", "dynamo.Store.Reports",
		"dynamo.Store.Append", "dynamo.Store.Latest", "dynamo.Store.Settled",
		"dynamo.Store.Acknowledge", "dynamo.Store.Acknowledgement",
		"aurora.Control.Probe", // it believes no alarm and asks again
		"aurora.Preflight.Preflight", "aurora.Cluster.Describe", "aurora.Cluster.Failover", "aurora.Cluster.Switchover",
		"cloudwatch.Role.Redirect", "notify.Topic.Notify",
		"dynamo.Store.Address", "boot.Login.Account", "boot.Login.Prepare",
	},
}

// platform are the actions that no code of ours calls: the Lambda service needs them to
// run a function. Reasons beside them.
var platform = map[string]string{
	"logs:CreateLogStream":           "Lambda writes the function's log",
	"logs:PutLogEvents":              "Lambda writes the function's log",
	"xray:PutTraceSegments":          "Lambda traces (CKV_AWS_50)",
	"xray:PutTelemetryRecords":       "Lambda traces (CKV_AWS_50)",
	"sqs:SendMessage":                "Lambda hands over an invocation that failed",
	"ec2:CreateNetworkInterface":     "Lambda stands in the VPC",
	"ec2:DescribeNetworkInterfaces":  "Lambda stands in the VPC",
	"ec2:DescribeSubnets":            "Lambda stands in the VPC",
	"ec2:DeleteNetworkInterface":     "Lambda stands in the VPC",
	"ec2:AssignPrivateIpAddresses":   "Lambda stands in the VPC",
	"ec2:UnassignPrivateIpAddresses": "Lambda stands in the VPC",
	"ec2:DescribeSecurityGroups":     "Lambda stands in the VPC",
	"ec2:DescribeVpcs":               "Lambda stands in the VPC",
	"ec2:GetSecurityGroupsForVpc":    "Lambda stands in the VPC",
	"kms:Decrypt":                    "reads the secret, its own environment and the topic's messages",
	"kms:GenerateDataKey":            "writes to an encrypted topic and queue",
}

// Fault 25 of the origin: failover and detach on "*", shared by the monitor.
func TestFault25RolesHoldExactlyTheCallsOfTheCode(t *testing.T) {
	reached := awsCalls(t)
	all := slices.Concat(slices.Collect(maps.Values(duties))...)
	for method, actions := range reached {
		require.Contains(t, all, method, "it calls %v: say which function does that, and its role follows", actions)
	}
	for _, method := range all {
		require.Contains(t, reached, method, "no such method, or it calls nothing: take it out of the duties")
	}

	d := deployed(t)
	checked := 0
	for _, r := range d.of("aws_iam_role_policy") {
		role, _ := r.at("role").(string)
		duty := dutyOf(d, role)
		if duty == "" {
			continue
		}
		checked++
		want := map[string]bool{}
		for _, method := range duties[duty] {
			for _, a := range reached[method] {
				want[a] = true
			}
		}
		got := map[string]bool{}
		for _, s := range r.statements("policy") {
			if s.Effect == "Deny" {
				continue // it grants nothing
			}
			require.Empty(t, s.NotAction, s.Sid)
			for _, a := range s.Action {
				if platform[a] == "" {
					got[a] = true
				}
			}
		}
		require.Equal(t, slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got)), "%s (%s)", role, duty)
	}
	require.Equal(t, 5, checked, "two functions in two Regions, and the witness")
}

// dutyOf tells which function a role is for; "" if it is no function's.
func dutyOf(d *deployment, role string) string {
	name := d.config.Name() + "-"
	switch {
	case role == name+"health-monitor-"+d.config.Witness().String():
		return "witness"
	case strings.HasPrefix(role, name+"health-monitor-"):
		return "health-monitor"
	case strings.HasPrefix(role, name+"failover-trigger-"):
		return "failover-trigger"
	}
	return ""
}

// The recovery path uses data planes only (design.md, static stability): Route 53's
// and IAM's control planes are in us-east-1.
func TestFunctionsTouchNoControlPlaneElsewhere(t *testing.T) {
	d := deployed(t)
	for _, r := range d.of("aws_iam_role_policy") {
		if role, _ := r.at("role").(string); dutyOf(d, role) != "" {
			for _, s := range r.statements("policy") {
				for _, a := range s.Action {
					service, _, _ := strings.Cut(a, ":")
					require.NotContains(t, []string{"route53", "iam", "sts", "s3", "cloudformation", "organizations"}, service, "%s may %s", role, a)
				}
			}
		}
	}
}

// A role reaches its own Region, but for the calls that are about the pair: those that
// describe both members or move the writer, and those of the lease table, which has a
// replica in each member.
func TestRolesStayInTheirRegion(t *testing.T) {
	d := deployed(t)
	leases := 0
	for _, r := range d.of("aws_iam_role_policy") {
		role, _ := r.at("role").(string)
		duty := dutyOf(d, role)
		if duty == "" || duty == "witness" {
			continue
		}
		var own, other string
		for _, region := range d.config.Members() {
			if strings.HasSuffix(role, region.String()) {
				own, other = region.String(), d.config.Topology().Peer(region).String()
			}
		}
		for _, s := range r.statements("policy") {
			describing := !slices.ContainsFunc(s.Action, func(a string) bool { return !strings.HasPrefix(a, "rds:Describe") })
			moving := !slices.ContainsFunc(s.Action, func(a string) bool {
				return a != "rds:FailoverGlobalCluster" && a != "rds:SwitchoverGlobalCluster"
			})
			if slices.ContainsFunc(s.Action, func(a string) bool { return strings.HasPrefix(a, "dynamodb:") }) {
				var replicas []string
				for _, region := range d.config.Members() {
					replicas = append(replicas, "arn:aws:dynamodb:"+region.String()+":123456789012:table/"+d.config.Name()+"-lease")
				}
				require.ElementsMatch(t, replicas, s.Resource, "%s %s: without the other replica the Region is lost with its DynamoDB", role, s.Sid)
				require.False(t, slices.ContainsFunc(s.Action, func(a string) bool { return !strings.HasPrefix(a, "dynamodb:") }), "%s %s", role, s.Sid)
				leases++
				continue
			}
			for _, arn := range s.Resource {
				if !describing && !moving {
					require.NotContains(t, arn, ":"+other+":", "%s %s: %v", role, s.Sid, s.Action)
				}
				if moving {
					require.Contains(t, []string{
						"arn:aws:rds::123456789012:global-cluster:" + d.config.Name(), // the Region field is empty (Aurora User Guide)
						"arn:aws:rds:" + own + ":123456789012:cluster:" + d.config.Name() + "-" + own,
						"arn:aws:rds:" + other + ":123456789012:cluster:" + d.config.Name() + "-" + other,
					}, arn)
				}
			}
		}
	}
	require.Equal(t, 4, leases, "two functions in two Regions")
}
