package infra_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/infra"
)

// fields returns the problems that Validate found, and fails on any other error.
func fields(t *testing.T, err error) []*infra.FieldError {
	t.Helper()
	if err == nil {
		return nil
	}
	var joined interface{ Unwrap() []error }
	require.True(t, errors.As(err, &joined), "%T", err)
	var out []*infra.FieldError
	for _, err := range joined.Unwrap() {
		var f *infra.FieldError
		require.True(t, errors.As(err, &f), "%v", err)
		require.NotEmpty(t, f.Field)
		require.NotEmpty(t, f.Problem)
		out = append(out, f)
	}
	return out
}

func TestValidateAccepts(t *testing.T) {
	off := false
	for name, change := range map[string]func(*infra.Config){
		"defaults":                 func(*infra.Config) {},
		"shortest suffix":          func(c *infra.Config) { c.EnvironmentSuffix = "q1" },
		"a word that holds a role": func(c *infra.Config) { c.EnvironmentSuffix = "underwriter" },
		"longest suffix, longest real Region": func(c *infra.Config) {
			c.EnvironmentSuffix = strings.Repeat("a", 20)
			c.AWSRegion, c.SecondRegion, c.WitnessRegion = "ap-northeast-1", "ap-northeast-2", "ap-northeast-3"
		},
		"16 instances in production":      func(c *infra.Config) { c.Database.Instances = 16 },
		"one instance in development":     func(c *infra.Config) { c.Production, c.Database.Instances = &off, 1 },
		"no witness, no Region set":       func(c *infra.Config) { c.SecondRegion, c.WitnessRegion = "sa-east-1", infra.NoWitness },
		"account":                         func(c *infra.Config) { c.AccountID = "012345678901" },
		"smallest ranges":                 func(c *infra.Config) { c.Network = infra.Network{CIDR: "192.168.0.0/22", SecondCIDR: "192.168.4.0/22"} },
		"172.31":                          func(c *infra.Config) { c.Network.CIDR = "172.31.0.0/16" },
		"longest bucket":                  func(c *infra.Config) { c.StateBucket = strings.Repeat("b", 48) },
		"largest capacity":                func(c *infra.Config) { c.Database.MinACU, c.Database.MaxACU = 256, 256 },
		"half step":                       func(c *infra.Config) { c.Database.MinACU, c.Database.MaxACU = 1.5, 2.5 },
		"oldest engine":                   func(c *infra.Config) { c.Database.EngineVersion = "8.0.mysql_aurora.3.06.0" },
		"newer engine":                    func(c *infra.Config) { c.Database.EngineVersion = "8.0.mysql_aurora.3.12.1" },
		"longest backups":                 func(c *infra.Config) { c.Database.BackupRetentionDays = 35 },
		"backup over midnight":            func(c *infra.Config) { c.Database.BackupWindow = "23:45-00:15" },
		"maintenance over the week's end": func(c *infra.Config) { c.Database.MaintenanceWindow = "sun:23:30-mon:00:30" },
		"windows that touch": func(c *infra.Config) {
			c.Database.BackupWindow, c.Database.MaintenanceWindow = "03:00-04:00", "tue:02:30-tue:03:00"
		},
		"48 tags":           func(c *infra.Config) { c.DefaultTags = tags(48) },
		"49 tags with Name": func(c *infra.Config) { c.DefaultTags = tags(48); c.DefaultTags["Name"] = "x" },
		"longest tag": func(c *infra.Config) {
			c.DefaultTags = map[string]string{strings.Repeat("é", 128): strings.Repeat("é", 256)}
		},
		"empty tag value":       func(c *infra.Config) { c.DefaultTags = map[string]string{"Flag": ""} },
		"notifications":         func(c *infra.Config) { c.Notifications = []string{"oncall+db@bank.example", "b@example.com"} },
		"lowest log retention":  func(c *infra.Config) { c.LogRetentionDays = 1 },
		"highest log retention": func(c *infra.Config) { c.LogRetentionDays = 3653 },
		"zone of digits":        func(c *infra.Config) { c.DNSZone = "1.example" },
		"lag of a minute":       func(c *infra.Config) { c.Thresholds.ReplicationLag = time.Minute },
		"CPU of 99 %":           func(c *infra.Config) { c.Thresholds.CPUPercent = 99 },
		"x86_64":                func(c *infra.Config) { c.Functions.Architecture = infra.X8664 },
		"policy":                func(c *infra.Config) { c.Policy.RPOGuard, c.Policy.NoWitness = true, dr.TrustExpiry },
	} {
		t.Run(name, func(t *testing.T) { require.NoError(t, edit(change).Validate()) })
	}
}

func tags(n int) map[string]string {
	m := map[string]string{}
	for i := range n {
		m[fmt.Sprintf("Tag%d", i)] = "v"
	}
	return m
}

func TestValidateRefuses(t *testing.T) {
	type c = infra.Config
	for _, tt := range []struct {
		name   string
		change func(*c)
		field  string
		says   string
	}{
		{"suffix missing", func(c *c) { c.EnvironmentSuffix = "" }, "environment_suffix", "is missing"},
		{"suffix of one letter", func(c *c) { c.EnvironmentSuffix = "a" }, "environment_suffix", "2 to 20"},
		{"suffix of 21 letters", func(c *c) { c.EnvironmentSuffix = strings.Repeat("a", 21); c.DNSZone = "a.b" }, "environment_suffix", "2 to 20"},
		{"suffix in capitals", func(c *c) { c.EnvironmentSuffix = "Prod"; c.StateBucket, c.DNSZone = "abc", "a.b" }, "environment_suffix", "lower-case"},
		{"suffix with underscore", func(c *c) { c.EnvironmentSuffix = "a_b"; c.StateBucket, c.DNSZone = "abc", "a.b" }, "environment_suffix", "wrong form"},
		{"suffix begins with a hyphen", func(c *c) { c.EnvironmentSuffix = "-ab"; c.DNSZone = "a.b" }, "environment_suffix", "wrong form"},
		{"suffix ends with a hyphen", func(c *c) { c.EnvironmentSuffix = "ab-"; c.DNSZone = "a.b" }, "environment_suffix", "wrong form"},
		{"suffix with two hyphens", func(c *c) { c.EnvironmentSuffix = "a--b" }, "environment_suffix", "RDS refuses"},
		{"origin fault 20: suffix names a role", func(c *c) { c.EnvironmentSuffix = "east-primary"; c.StateBucket = "abc" }, "environment_suffix", "one failover makes that a lie"},
		{"derived role name too long", func(c *c) {
			c.EnvironmentSuffix = strings.Repeat("a", 20)
			c.SecondRegion, c.WitnessRegion, c.StateBucket = "ap-abc-southeast-1", infra.NoWitness, "abc"
		}, "environment_suffix", "AWS allows 64"},

		{"origin fault 28: aws_region is no Region", func(c *c) { c.AWSRegion = "us-east" }, "aws_region", `"us-east" is no Region`},
		{"second_region by its name", func(c *c) { c.SecondRegion = "Oregon" }, "second_region", `"Oregon"`},
		{"witness_region misspelt", func(c *c) { c.WitnessRegion = "None" }, "witness_region", `"None"`},
		{"a member can't be none", func(c *c) { c.SecondRegion = infra.NoWitness }, "second_region", `"none" is no Region`},
		{"equal Regions", func(c *c) { c.SecondRegion = "us-east-1" }, "second_region", "aws_region too"},
		{"origin fault 28: aws_region equals the other default", func(c *c) { c.AWSRegion = "us-west-2" }, "second_region", "aws_region too"},
		{"witness is a member", func(c *c) { c.WitnessRegion = "us-west-2" }, "witness_region", "use us-east-2"},
		{"witness outside the US set", func(c *c) { c.WitnessRegion = "us-west-1" }, "witness_region", "use us-east-2"},
		{"witness outside the EU set", func(c *c) { c.AWSRegion, c.SecondRegion = "eu-west-1", "eu-west-2" }, "witness_region", "use eu-west-3 or eu-central-1"},
		{"members of two sets", func(c *c) { c.SecondRegion = "eu-west-1" }, "witness_region", "no Region can be the witness"},
		{"another partition", func(c *c) { c.SecondRegion = "us-gov-west-1" }, "second_region", "partition of its own"},
		{"another partition for the witness", func(c *c) { c.WitnessRegion = "cn-north-1" }, "witness_region", "partition of its own"},

		{"account of 11 digits", func(c *c) { c.AccountID = "12345678901" }, "account_id", "12 digits"},
		{"account with hyphens", func(c *c) { c.AccountID = "1234-5678-9012" }, "account_id", "12 digits"},
		{"bucket with a dot", func(c *c) { c.StateBucket = "my.bucket" }, "state_bucket", "no base name"},
		{"bucket in capitals", func(c *c) { c.StateBucket = "State" }, "state_bucket", "no base name"},
		{"bucket too short", func(c *c) { c.StateBucket = "bb" }, "state_bucket", "3 to 48"},
		{"bucket too long", func(c *c) { c.StateBucket = strings.Repeat("b", 49) }, "state_bucket", "3 to 48"},
		{"bucket too long with its Region", func(c *c) {
			c.StateBucket, c.SecondRegion, c.WitnessRegion = strings.Repeat("b", 48), "ap-abc-southeast-1", infra.NoWitness
		}, "state_bucket", "67 characters, and AWS allows 63"},
		{"bucket with S3's prefix", func(c *c) { c.StateBucket = "xn--state" }, "state_bucket", "S3 keeps"},
		{"origin fault 20: bucket names a role", func(c *c) { c.StateBucket = "bank-primary" }, "state_bucket", "one failover makes that a lie"},

		{"49 tags", func(c *c) { c.DefaultTags = tags(49) }, "default_tags", "at most 48"},
		{"tag of Lifeboat", func(c *c) { c.DefaultTags = map[string]string{"Lifeboat:Environment": "v"} }, `default_tags["Lifeboat:Environment"]`, "the suffix"},
		{"tag of AWS", func(c *c) { c.DefaultTags = map[string]string{"AWS:x": "v"} }, `default_tags["AWS:x"]`, "belongs to AWS"},
		{"tag key too long", func(c *c) { c.DefaultTags = map[string]string{strings.Repeat("k", 129): "v"} }, fmt.Sprintf("default_tags[%q]", strings.Repeat("k", 129)), "1 to 128"},
		{"tag key empty", func(c *c) { c.DefaultTags = map[string]string{"": "v"} }, `default_tags[""]`, "1 to 128"},
		{"tag value too long", func(c *c) { c.DefaultTags = map[string]string{"k": strings.Repeat("v", 257)} }, `default_tags["k"]`, "256"},
		{"tag value with a line break", func(c *c) { c.DefaultTags = map[string]string{"k": "a\nb"} }, `default_tags["k"]`, "refuses"},
		{"tag value not UTF-8", func(c *c) { c.DefaultTags = map[string]string{"k": "\xff"} }, `default_tags["k"]`, "refuses"},
		{"tags that differ by case", func(c *c) { c.DefaultTags = map[string]string{"Owner": "a", "owner": "b"} }, `default_tags["owner"]`, "IAM refuses"},

		{"origin fault 28: CIDR is no range", func(c *c) { c.Network.CIDR = "10.0.0.0" }, "network.cidr", "no IPv4 range"},
		{"CIDR of IPv6", func(c *c) { c.Network.CIDR = "fd00::/16" }, "network.cidr", "no IPv4 range"},
		{"CIDR with host bits", func(c *c) { c.Network.CIDR = "10.0.1.0/16" }, "network.cidr", "give 10.0.0.0/16"},
		{"CIDR too large", func(c *c) { c.Network = infra.Network{CIDR: "10.0.0.0/15", SecondCIDR: "10.2.0.0/16"} }, "network.cidr", "wrong size"},
		{"CIDR too small", func(c *c) { c.Network.SecondCIDR = "10.1.0.0/23" }, "network.second_cidr", "wrong size"},
		{"CIDR public", func(c *c) { c.Network.SecondCIDR = "8.8.0.0/16" }, "network.second_cidr", "not private"},
		{"CIDR of 172.32", func(c *c) { c.Network.SecondCIDR = "172.32.0.0/16" }, "network.second_cidr", "not private"},
		{"CIDRs equal", func(c *c) { c.Network.SecondCIDR = "10.0.0.0/16" }, "network.second_cidr", "overlaps"},
		{"CIDRs nested", func(c *c) { c.Network.SecondCIDR = "10.0.4.0/22" }, "network.second_cidr", "overlaps"},

		{"engine of MySQL 5.7", func(c *c) { c.Database.EngineVersion = "5.7.mysql_aurora.2.12.5" }, "database.engine_version", "Aurora MySQL 3"},
		{"engine without patch", func(c *c) { c.Database.EngineVersion = "8.0.mysql_aurora.3.10" }, "database.engine_version", "full version"},
		{"origin's engine lacks the fence", func(c *c) { c.Database.EngineVersion = "8.0.mysql_aurora.3.04.0" }, "database.engine_version", "rds_set_read_only"},
		{"database with a hyphen", func(c *c) { c.Database.Name = "my-db" }, "database.name", "can't name"},
		{"database of the server", func(c *c) { c.Database.Name = "mysql" }, "database.name", "server's own"},
		{"user too long", func(c *c) { c.Database.MasterUsername = strings.Repeat("u", 17) }, "database.master_username", "1 to 16"},
		{"user of RDS", func(c *c) { c.Database.MasterUsername = "rdsadmin" }, "database.master_username", "server's own"},
		{"origin's user", func(c *c) { c.Database.MasterUsername = "admin" }, "database.master_username", "attackers try first"},
		{"user of the functions", func(c *c) { c.Database.MasterUsername = "Lifeboat" }, "database.master_username", "user of Lifeboat's functions"},
		{"capacity not a half step", func(c *c) { c.Database.MinACU = 0.7 }, "database.min_acu", "use 0.5 or 1"},
		{"capacity below the least", func(c *c) { c.Database.MinACU = 0.25 }, "database.min_acu", "0.5 to 256"},
		{"capacity negative", func(c *c) { c.Database.MinACU = -1 }, "database.min_acu", "out of range"},
		{"capacity above the most", func(c *c) { c.Database.MaxACU = 256.5 }, "database.max_acu", "out of range"},
		{"maximum of half a unit", func(c *c) { c.Database.MaxACU, c.Thresholds.Connections = 0.5, 50 }, "database.max_acu", "1 to 256"},
		{"capacity not a number", func(c *c) { c.Database.MinACU = math.NaN() }, "database.min_acu", "out of range"},
		{"capacity infinite", func(c *c) { c.Database.MaxACU = math.Inf(1) }, "database.max_acu", "out of range"},
		{"minimum above maximum", func(c *c) { c.Database.MinACU = 17 }, "database.min_acu", "above max_acu"},
		{"origin fault 26: one instance in production", func(c *c) { c.Database.Instances = 1 }, "database.instances", "too few in production"},
		{"17 instances", func(c *c) { c.Database.Instances = 17 }, "database.instances", "1 to 16"},
		{"negative instances", func(c *c) { c.Database.Instances = -1 }, "database.instances", "1 to 16"},
		{"36 days of backups", func(c *c) { c.Database.BackupRetentionDays = 36 }, "database.backup_retention_days", "1 to 35"},
		{"negative backups", func(c *c) { c.Database.BackupRetentionDays = -1 }, "database.backup_retention_days", "1 to 35"},
		{"backup window without end", func(c *c) { c.Database.BackupWindow = "03:00" }, "database.backup_window", "no daily window"},
		{"backup window at 24:00", func(c *c) { c.Database.BackupWindow = "23:00-24:00" }, "database.backup_window", "no daily window"},
		{"backup window of 29 minutes", func(c *c) { c.Database.BackupWindow = "03:00-03:29" }, "database.backup_window", "lasts 29 minutes"},
		{"maintenance in capitals", func(c *c) { c.Database.MaintenanceWindow = "Mon:04:00-Mon:05:00" }, "database.maintenance_window", "lower case"},
		{"maintenance of two days", func(c *c) { c.Database.MaintenanceWindow = "mon:04:00-wed:04:00" }, "database.maintenance_window", "lasts 2880 minutes"},
		{"maintenance of 29 minutes", func(c *c) { c.Database.MaintenanceWindow = "mon:04:00-mon:04:29" }, "database.maintenance_window", "lasts 29 minutes"},
		{"windows overlap", func(c *c) { c.Database.MaintenanceWindow = "fri:03:30-fri:04:30" }, "database.maintenance_window", "overlaps the backup window 03:00-04:00 on fri"},
		{"windows overlap over midnight", func(c *c) {
			c.Database.BackupWindow, c.Database.MaintenanceWindow = "23:45-00:15", "mon:00:00-mon:01:00"
		}, "database.maintenance_window", "on sun"},
		{"windows overlap over the week's end", func(c *c) {
			c.Database.BackupWindow, c.Database.MaintenanceWindow = "00:00-00:30", "sun:23:30-mon:00:15"
		}, "database.maintenance_window", "on mon"},

		{"lag below a millisecond", func(c *c) { c.Thresholds.ReplicationLag = time.Microsecond }, "thresholds.replication_lag", "1ms to 1m"},
		{"lag above a minute", func(c *c) { c.Thresholds.ReplicationLag = time.Hour }, "thresholds.replication_lag", "1ms to 1m"},
		{"lag between milliseconds", func(c *c) { c.Thresholds.ReplicationLag = 1500 * time.Microsecond }, "thresholds.replication_lag", "whole milliseconds"},
		{"CPU of 100 %", func(c *c) { c.Thresholds.CPUPercent = 100 }, "thresholds.cpu_percent", "1 to 99"},
		{"CPU negative", func(c *c) { c.Thresholds.CPUPercent = -1 }, "thresholds.cpu_percent", "1 to 99"},
		{"connections negative", func(c *c) { c.Thresholds.Connections = -1 }, "thresholds.connections", "at least 1"},
		{"origin fault 26: alarm above what 1 ACU admits", func(c *c) { c.Database.MaxACU = 1 }, "thresholds.connections", "takes 90 connections at most"},
		{"connections above what 16 ACU admit", func(c *c) { c.Thresholds.Connections = 2000 }, "thresholds.connections", "raise database.max_acu"},

		{"address with a name", func(c *c) { c.Notifications = []string{"On Call <oncall@example.com>"} }, "notifications[0]", "address alone"},
		{"address without a domain", func(c *c) { c.Notifications = []string{"a@example.com", "oncall@localhost"} }, "notifications[1]", "no e-mail address"},
		{"address empty", func(c *c) { c.Notifications = []string{""} }, "notifications[0]", "no e-mail address"},
		{"address twice", func(c *c) { c.Notifications = []string{"a@example.com", "A@example.com"} }, "notifications[1]", "twice"},
		{"zone of one label", func(c *c) { c.DNSZone = "internal" }, "dns_zone", "two labels"},
		{"zone with a dot at the end", func(c *c) { c.DNSZone = "a.internal." }, "dns_zone", "without a dot"},
		{"zone in capitals", func(c *c) { c.DNSZone = "A.internal" }, "dns_zone", "lower-case"},
		{"zone that looks like an address", func(c *c) { c.DNSZone = "10.1" }, "dns_zone", "beginning with a letter"},
		{"zone with an empty label", func(c *c) { c.DNSZone = "a..internal" }, "dns_zone", "no name of a zone"},
		{"zone too long", func(c *c) { c.DNSZone = strings.Repeat("a.", 125) + "b" }, "dns_zone", "250"},
		{"zone of the lease table's names", func(c *c) { c.DNSZone = "us-west-2.lifeboat.internal" }, "dns_zone", "lease table"},
		{"zone below the lease table's names", func(c *c) { c.DNSZone = "dynamodb.us-east-1.lifeboat.internal" }, "dns_zone", "lease table"},
		{"zone of AWS", func(c *c) { c.DNSZone = "rds.us-east-1.amazonaws.com" }, "dns_zone", "hide AWS's endpoints"},
		{"log retention between CloudWatch's values", func(c *c) { c.LogRetentionDays = 364 }, "log_retention_days", "365"},
		{"architecture of another maker", func(c *c) { c.Functions.Architecture = "amd64" }, "functions.architecture", "x86_64"},
		{"directory with a line break", func(c *c) { c.Functions.Directory = "a\nb" }, "functions.directory", "control"},

		{"policy: margin above the lease", func(c *c) { c.Policy.LeaseMargin = 7 * time.Second }, "policy.lease_margin", "policy.lease_margin: 7s must be below lease_ttl 6s"},
		{"policy: negative objective", func(c *c) { c.Policy.Objectives.RPO = -1 }, "policy.objectives.rpo", "negative"},
		{"policy: more vantages than there are", func(c *c) { c.WitnessRegion, c.Policy.MinVantages = infra.NoWitness, 3 }, "policy.min_vantages", "nothing would ever fail over"},
		{"policy: more failovers than a budget", func(c *c) { c.Policy.MaxFailovers = new(25) }, "policy.max_failovers", "25 is above 24"},
		{"policy: unknown preset", func(c *c) { c.Policy.Preset = "brave" }, "policy.preset", "cautious"},
		{"policy: unknown price", func(c *c) { c.Policy.NoWitness = "hope" }, "policy.no_witness", "trust-expiry"},
		{"policy: own share of the RTO can't be met", func(c *c) { c.Policy.EndpointTTL = 12 * time.Second }, "policy", "redirect alone takes 12s; shorten it or raise objectives.own_share"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := fields(t, edit(tt.change).Validate())
			require.Len(t, got, 1, "one mistake, one problem: %v", got)
			require.Equal(t, tt.field, got[0].Field)
			require.Contains(t, got[0].Error(), tt.says)
			require.True(t, strings.HasPrefix(got[0].Error(), "infra: config: "+tt.field+": "), got[0].Error())
		})
	}
}

func TestValidateReportsEverythingAtOnce(t *testing.T) {
	c := infra.Config{
		SecondRegion: "us-east-1", AccountID: "1", LogRetentionDays: 2, Notifications: []string{"x"},
		Network:    infra.Network{SecondCIDR: "10.0.0.0/16"},
		Database:   infra.Database{Instances: 1, MinACU: 0.3, BackupWindow: "x"},
		Thresholds: infra.Thresholds{CPUPercent: 101},
		Policy:     dr.Policy{Confirm: 1, MinVantages: 1},
	}
	var got []string
	for _, f := range fields(t, c.Validate()) {
		got = append(got, f.Field)
	}
	require.Equal(t, []string{
		"environment_suffix", "second_region", "account_id", "network.second_cidr", "database.min_acu", "database.instances",
		"database.backup_window", "thresholds.cpu_percent", "notifications[0]", "log_retention_days", "policy.confirm", "policy.min_vantages",
	}, got)
}

// The policy judges its own share of the RTO; it is said once, and it names the phase.
func TestValidateSaysTheBudgetOnce(t *testing.T) {
	err := edit(func(c *infra.Config) { c.Policy.Confirm = 12 }).Validate()
	require.Equal(t, 1, strings.Count(err.Error(), "over the share"))
	require.ErrorContains(t, err, "detect alone takes")
}
