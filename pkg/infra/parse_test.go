package infra_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/infra"
)

// full returns a Config whose every field is set, to something that is no default.
func full(t *testing.T) infra.Config {
	t.Helper()
	var c infra.Config
	var set func(v reflect.Value)
	set = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Struct:
			for i := range v.NumField() {
				set(v.Field(i))
			}
		case reflect.String:
			v.SetString("s")
		case reflect.Int, reflect.Int64:
			v.SetInt(7_000_000)
		case reflect.Float64:
			v.SetFloat(7.5)
		case reflect.Bool:
			v.SetBool(true)
		case reflect.Pointer:
			v.Set(reflect.New(v.Type().Elem())) // to false
		case reflect.Slice:
			v.Set(reflect.ValueOf([]string{"one", "two"}))
		case reflect.Map:
			v.Set(reflect.ValueOf(map[string]string{"b": "2", "a": "1"}))
		default:
			t.Fatalf("the decoder must learn %v", v.Kind())
		}
	}
	set(reflect.ValueOf(&c).Elem())
	return c
}

func TestEveryFieldHasItsKey(t *testing.T) {
	data, err := yaml.Marshal(full(t))
	require.NoError(t, err)
	got, err := infra.Parse("full.yaml", data)
	require.NoError(t, err, "%s", data)
	require.Equal(t, full(t), got)

	var root yaml.Node
	require.NoError(t, yaml.Unmarshal(data, &root))
	var keys []string
	var walk func(n *yaml.Node, prefix string)
	walk = func(n *yaml.Node, prefix string) {
		for i := 0; i < len(n.Content); i += 2 {
			if path := prefix + n.Content[i].Value; n.Content[i+1].Kind == yaml.MappingNode && path != "default_tags" {
				walk(n.Content[i+1], path+".")
			} else {
				keys = append(keys, path)
			}
		}
	}
	walk(root.Content[0], "")
	// The keys are a promise: a renamed Go field must not rename one.
	require.Equal(t, strings.Fields(`environment_suffix aws_region second_region witness_region account_id state_bucket
		default_tags production network.cidr network.second_cidr database.engine_version database.name
		database.master_username database.min_acu database.max_acu database.instances database.backup_retention_days
		database.backup_window database.maintenance_window database.deletion_protection thresholds.replication_lag
		thresholds.cpu_percent thresholds.connections notifications dns_zone log_retention_days functions.architecture
		functions.directory policy.preset policy.objectives.rto policy.objectives.rpo policy.objectives.own_share policy.automatic policy.probe_interval
		policy.probe_timeout policy.confirm policy.min_vantages policy.in_region_grace policy.control_interval policy.clusters policy.lease_ttl policy.lease_margin
		policy.lease_drift policy.renew_interval policy.observe_interval policy.max_data_loss policy.max_lag_age
		policy.rpo_guard policy.watchdog policy.call_timeout policy.poll_interval policy.effect_timeout policy.endpoint_ttl
		policy.max_failovers policy.failover_window policy.no_witness`), keys)
}

func TestDefaultYAMLShowsEveryKeyAndItsDefault(t *testing.T) {
	const path = "../../examples/deploy/default.yaml"
	got, err := infra.Load(path)
	require.NoError(t, err)
	require.NoError(t, got.Validate())
	require.Equal(t, infra.Config{EnvironmentSuffix: "example"}.WithDefaults(), got)

	// Keys without a default stand in comments, which must be right too.
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	var live []string
	for line := range strings.Lines(string(data)) {
		for _, key := range []string{"account_id:", "default_tags:", "  Owner:", "  CostCenter:", "notifications:", "  - oncall"} {
			line = strings.Replace(line, "# "+key, key, 1)
		}
		live = append(live, line)
	}
	got, err = infra.Parse(path, []byte(strings.Join(live, "")))
	require.NoError(t, err)
	require.NoError(t, got.Validate())
	require.Equal(t, "123456789012", got.AccountID)
	require.Equal(t, map[string]string{"Owner": "platform-team", "CostCenter": "4711"}, got.DefaultTags)
	require.Equal(t, []string{"oncall@example.com"}, got.Notifications)
}

func TestParseAccepts(t *testing.T) {
	off := false
	for _, tt := range []struct {
		name, in string
		want     infra.Config
	}{
		{"one key", "environment_suffix: test", infra.Config{EnvironmentSuffix: "test"}},
		{"begins with ---", "---\nenvironment_suffix: test\n", infra.Config{EnvironmentSuffix: "test"}},
		{"byte order mark", "\ufeffenvironment_suffix: test", infra.Config{EnvironmentSuffix: "test"}},
		{"Windows line ends", "environment_suffix: test\r\naws_region: eu-west-1\r\n", infra.Config{EnvironmentSuffix: "test", AWSRegion: "eu-west-1"}},
		{"keys without values", "environment_suffix: test\naccount_id:\nnetwork:\nnotifications: []\ndefault_tags: {}\npolicy: ~\n", infra.Config{EnvironmentSuffix: "test"}},
		{"origin fault 28: aws_region", "aws_region: us-east-2", infra.Config{AWSRegion: "us-east-2"}},
		{"switches", "production: false\ndatabase: {deletion_protection: false}", infra.Config{Production: &off, Database: infra.Database{DeletionProtection: &off}}},
		{"numbers", "database: {min_acu: 1.5, max_acu: 32, instances: 3}", infra.Config{Database: infra.Database{MinACU: 1.5, MaxACU: 32, Instances: 3}}},
		{"durations", "thresholds: {replication_lag: 1.5s}\npolicy: {lease_ttl: 8s, objectives: {rto: 2m}}", infra.Config{
			Thresholds: infra.Thresholds{ReplicationLag: 1500 * time.Millisecond},
			Policy:     dr.Policy{LeaseTTL: 8 * time.Second, Objectives: dr.Objectives{RTO: 2 * time.Minute}},
		}},
		{"policy", "policy: {confirm: 4, rpo_guard: true, no_witness: trust-expiry}", infra.Config{Policy: dr.Policy{Confirm: 4, RPOGuard: true, NoWitness: dr.TrustExpiry}}},
		{"no automatic failover", "policy: {max_failovers: 0}", infra.Config{Policy: dr.Policy{MaxFailovers: new(0)}}},
		{"observe only, cautiously", "policy: {automatic: never, preset: cautious, confirm: 3}", infra.Config{Policy: dr.Policy{Automatic: dr.AutomaticNever, Preset: dr.PresetCautious, Confirm: 3}}},
		{"text that looks like something else", `account_id: "012345678901"` + "\ndefault_tags: {CostCenter: \"4711\", yes: 'no'}", infra.Config{
			AccountID: "012345678901", DefaultTags: map[string]string{"CostCenter": "4711", "yes": "no"},
		}},
		{"JSON", `{"environment_suffix": "test", "notifications": ["a@example.com"], "production": false, "database": {"max_acu": 8.5}}`, infra.Config{
			EnvironmentSuffix: "test", Notifications: []string{"a@example.com"}, Production: &off, Database: infra.Database{MaxACU: 8.5},
		}},
		{"JSON indented by tabs", "{\n\t\"environment_suffix\": \"test\",\n\t\"network\": {\n\t\t\"cidr\":\t\"10.8.0.0/16\"\n\t}\n}\n", infra.Config{
			EnvironmentSuffix: "test", Network: infra.Network{CIDR: "10.8.0.0/16"},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := infra.Parse("f.yaml", []byte(tt.in))
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
		})
	}
}

func TestParseRefuses(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"nothing", "", "f.yaml: is empty: give at least environment_suffix; examples/deploy/default.yaml shows every key"},
		{"comments only", "# nothing\n", "f.yaml: is empty: give at least environment_suffix; examples/deploy/default.yaml shows every key"},
		{"null", "---\n~\n", "f.yaml: is empty: give at least environment_suffix; examples/deploy/default.yaml shows every key"},
		{"a list", "- a\n", `f.yaml:1:1: is a list and no list of keys: begin with "environment_suffix: ..."`},
		{"text", "hello", `f.yaml:1:1: is the text "hello" and no list of keys: begin with "environment_suffix: ..."`},
		{"not UTF-8", "a: b\nb: \xff\n", "f.yaml:2: is not UTF-8: save it as UTF-8"},
		{"UTF-16", "\xff\xfea\x00", "f.yaml:1: is not UTF-8: save it as UTF-8"},
		{"two documents", "environment_suffix: a1\n---\nenvironment_suffix: b1\n", "f.yaml:2: a second document begins: a file describes one deployment; keep one document"},
		{"broken second document", "environment_suffix: a1\n---\n\"\n", "f.yaml:3: is neither YAML nor JSON near this line: found unexpected end of stream"},
		{"bad indent", "network:\n  cidr: a\n second_cidr: b\n", "f.yaml:2: is neither YAML nor JSON near this line: did not find expected key"},
		{"tab in YAML", "network:\n\tcidr: a\n", "f.yaml:2: is neither YAML nor JSON near this line: found character that cannot start any token"},
		{"cut JSON", `{"aws_region": "us-east-1"`, "f.yaml:1: is neither YAML nor JSON near this line: did not find expected ',' or '}'"},

		{"misspelt", "environment_sufix: a1", `f.yaml:1:1: unknown key environment_sufix: did you mean "environment_suffix"?`},
		{"in capitals", "\nAWS-Region: a", `f.yaml:2:1: unknown key AWS-Region: did you mean "aws_region"?`},
		{"misspelt in a group", "policy:\n  objectives:\n    rt0: 1s", `f.yaml:3:5: unknown key policy.objectives.rt0: did you mean "policy.objectives.rto"?`},
		{"in the wrong group", "lease_ttl: 6s", `f.yaml:1:1: unknown key lease_ttl: did you mean "policy.lease_ttl"?`},
		{"like nothing", "network: {frobnicate: 1}", "f.yaml:1:11: unknown key network.frobnicate: known here are cidr, second_cidr"},
		{"columns are characters", `{"default_tags": {"Ä": "a", "b": 1}}`, "f.yaml:1:34: default_tags.b is the number 1 and not text: put it in quotes"},
		{"a number as key", "functions: {1: a}", "f.yaml:1:13: unknown key functions.1: known here are architecture, directory"},
		{"a list as key", "? [a]\n: b", "f.yaml:1:3: a key is a list: a key is a name"},
		{"twice", "aws_region: us-east-1\nproduction: true\naws_region: us-west-2\n", "f.yaml:3:1: aws_region is there twice: the first is in line 1; keep one"},
		{"twice in JSON", `{"network": {"cidr": "a", "cidr": "b"}}`, "f.yaml:1:27: network.cidr is there twice: the first is in line 1; keep one"},
		{"tag twice", "default_tags: {a: b, a: c}", "f.yaml:1:22: default_tags.a is there twice: the first is in line 1; keep one"},

		{"number for text", "account_id: 123456789012", "f.yaml:1:13: account_id is the number 123456789012 and not text: put it in quotes"},
		{"date for text", "environment_suffix: 2026-01-02", "f.yaml:1:21: environment_suffix is the date 2026-01-02 and not text: put it in quotes"},
		{"number for a tag", "default_tags:\n  CostCenter: 4711", "f.yaml:2:15: default_tags.CostCenter is the number 4711 and not text: put it in quotes"},
		{"text for a number", `database: {instances: "2"}`, `f.yaml:1:23: database.instances is the text "2" and not a whole number: write one without quotes, such as 2`},
		{"fraction for a whole number", "database: {instances: 2.5}", "f.yaml:1:23: database.instances is the number 2.5 and not a whole number: write one without quotes, such as 2"},
		{"hexadecimal", "log_retention_days: 0x16d", `f.yaml:1:21: log_retention_days "0x16d" is no plain number: write one such as 365`},
		{"octal", "log_retention_days: 0365", `f.yaml:1:21: log_retention_days "0365" is no plain number: write one such as 365`},
		{"underscores", "log_retention_days: 3_65", `f.yaml:1:21: log_retention_days "3_65" is no plain number: write one such as 365`},
		{"too large", "log_retention_days: 99999999999999999999", `f.yaml:1:21: log_retention_days`},
		{"infinite", "database: {max_acu: .inf}", `f.yaml:1:21: database.max_acu ".inf" is no plain number: write one such as 16`},
		{"not a number", "database: {max_acu: .nan}", `f.yaml:1:21: database.max_acu ".nan" is no plain number: write one such as 16`},
		{"text for a switch", "production: yes", `f.yaml:1:13: production is the text "yes" and not a switch: write true or false`},
		{"number for a switch", "policy: {watchdog: 1}", "f.yaml:1:20: policy.watchdog is the number 1 and not a switch: write true or false"},
		{"duration without unit", "policy: {lease_ttl: 6}", "f.yaml:1:21: policy.lease_ttl is the number 6 and not a duration: write a number with its unit, such as 500ms, 2s or 10m"},
		{"duration in days", "policy: {failover_window: 1d}", `f.yaml:1:27: policy.failover_window "1d" is no duration: write a number with its unit, such as 500ms, 2s or 10m`},
		{"text for a list", "notifications: a@example.com", `f.yaml:1:16: notifications is the text "a@example.com" and not a list: write each entry as "- entry", indented below it`},
		{"number in a list", "notifications: [1]", "f.yaml:1:17: notifications[0] is the number 1 and not text: put it in quotes"},
		{"list for a group", "network: [10.0.0.0/16]", "f.yaml:1:10: network is a list and not a group of keys: indent its keys below it"},
		{"text for a group", "policy: strict", `f.yaml:1:9: policy is the text "strict" and not a group of keys: indent its keys below it`},
		{"list for tags", "default_tags: [a]", "f.yaml:1:15: default_tags is a list and not a group of keys: write key: value, indented below it"},
		{"group for text", "aws_region: {a: b}", "f.yaml:1:13: aws_region is a group of keys and not text: put it in quotes"},
		{"binary", "aws_region: !!binary dXM=", `f.yaml:1:13: aws_region is !!binary "dXM=" and not text: put it in quotes`},

		{"failovers in words", "policy: {max_failovers: none}", "f.yaml:1:25: policy.max_failovers is the text \"none\" and not a whole number: write one without quotes, such as 2"},
		{"half a failover", "policy: {max_failovers: 0.5}", "f.yaml:1:25: policy.max_failovers is the number 0.5 and not a whole number"},
		{"confirm 0 would become 3", "policy: {confirm: 0}", "f.yaml:1:19: policy.confirm 0 would become the default 3: leave the key out for the default, or give the value"},
		{"no grace would become 30s", "policy: {in_region_grace: 0s}", "f.yaml:1:27: policy.in_region_grace 0s would become the default 30s"},
		{"for ever would become 365", "log_retention_days: 0", "f.yaml:1:21: log_retention_days 0 would become the default 365"},
		{"0 units would become 0.5", "database: {min_acu: 0.0}", "f.yaml:1:21: database.min_acu 0.0 would become the default 0.5"},

		{"alias", "aws_region: &r us-east-1\nsecond_region: *r\n", "f.yaml:2:16: anchors, aliases and merges are not supported"},
		{"alias in a list", "notifications: [&a x, *a]", "f.yaml:1:23: anchors, aliases and merges are not supported"},
		{"alias in tags", "default_tags: {a: &a x, b: *a}", "f.yaml:1:28: anchors, aliases and merges are not supported"},
		{"merge", "network: &n {cidr: a}\nfunctions: {<<: *n}\n", "f.yaml:2:13: anchors, aliases and merges are not supported"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := infra.Parse("f.yaml", []byte(tt.in))
			var p *infra.ParseError
			require.True(t, errors.As(err, &p), "%v", err)
			require.True(t, strings.HasPrefix(err.Error(), tt.want), "got  %v\nwant %v", err, tt.want)
			require.NotContains(t, err.Error(), "\n", "one mistake, one problem")
			require.Equal(t, infra.Config{}, got)
		})
	}
}

func TestParseReportsEverythingAtOnce(t *testing.T) {
	_, err := infra.Parse("f.yaml", []byte(`environment_suffix: 12
aws_regoin: us-east-1
production: on
policy:
  lease_ttl: 6
  lease_ttl: 7s
`))
	require.EqualError(t, err, `f.yaml:1:21: environment_suffix is the number 12 and not text: put it in quotes
f.yaml:2:1: unknown key aws_regoin: did you mean "aws_region"?
f.yaml:3:13: production is the text "on" and not a switch: write true or false
f.yaml:5:14: policy.lease_ttl is the number 6 and not a duration: write a number with its unit, such as 500ms, 2s or 10m
f.yaml:6:3: policy.lease_ttl is there twice: the first is in line 5; keep one`)
}

// An alias bomb would grow to a billion entries; it must cost no more than its bytes.
func TestParseRefusesAliasBomb(t *testing.T) {
	var b strings.Builder
	b.WriteString("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n")
	for i := 1; i < 10; i++ {
		p, n := string(rune('0'+i-1)), string(rune('0'+i))
		b.WriteString("a" + n + ": &a" + n + " [" + strings.TrimSuffix(strings.Repeat("*a"+p+",", 10), ",") + "]\n")
	}
	b.WriteString("notifications: *a9\n")
	_, err := infra.Parse("bomb.yaml", []byte(b.String()))
	require.ErrorContains(t, err, "bomb.yaml:11:16: anchors, aliases and merges are not supported")
}

func TestParseSurvivesHugeInput(t *testing.T) {
	_, err := infra.Parse("f.yaml", []byte(strings.Repeat("[", 1<<20)))
	require.ErrorContains(t, err, "f.yaml")
	_, err = infra.Parse("f.yaml", []byte("? "+strings.Repeat("k", 1<<19)+"\n: 1"))
	require.ErrorContains(t, err, "unknown key kkk")
	require.Less(t, len(err.Error()), 1000, "the error doesn't repeat the file")
	_, err = infra.Parse("f.yaml", []byte(strings.Repeat(" ", 1<<20+1)))
	require.ErrorContains(t, err, "larger than 1048576 bytes")
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	got, err := infra.Load(write("a.json", `{"environment_suffix": "test"}`))
	require.NoError(t, err)
	require.Equal(t, "test", got.EnvironmentSuffix)

	missing := filepath.Join(dir, "missing.yaml")
	_, err = infra.Load(missing)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, missing)
	require.ErrorContains(t, err, "examples/deploy/default.yaml")

	_, err = infra.Load(dir)
	require.EqualError(t, err, dir+": is a folder: name the file in it")
	_, err = infra.Load("")
	require.ErrorContains(t, err, "no path")

	bad := write("bad.yaml", "x: 1\n")
	_, err = infra.Load(bad)
	require.ErrorContains(t, err, bad+":1:1: unknown key x")
	_, err = infra.Load(write("large.yaml", strings.Repeat("#", 1<<20+1)))
	require.ErrorContains(t, err, "larger than")
}

// FuzzParse: nothing panics, and what parses and validates comes back unchanged.
func FuzzParse(f *testing.F) {
	data, err := os.ReadFile("../../examples/deploy/default.yaml")
	require.NoError(f, err)
	f.Add(data)
	for _, s := range []string{
		"environment_suffix: a1\ndefault_tags: {a: ' b', 'c:': \"é\"}\nnotifications: [a@b.c]\n",
		`{"environment_suffix": "a1", "database": {"min_acu": 1.5}, "policy": {"rpo_guard": true}}`,
		"environment_suffix: a1\nfunctions: {directory: 'a # b'}\nproduction: false\n",
		"a: &a [*a]", "? {a: b}\n: c", "%YAML 1.1\n---\na: !!set {b}", "policy: {objectives: {rto: 1h2m3.000000004s}}",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := infra.Parse("f.yaml", data)
		if err != nil {
			require.NotEmpty(t, err.Error())
			return
		}
		if c.Validate() != nil {
			return
		}
		again, err := yaml.Marshal(c)
		require.NoError(t, err)
		got, err := infra.Parse("again.yaml", again)
		require.NoError(t, err, "%s", again)
		require.Equal(t, c, got, "%s", again)
		require.NotEmpty(t, c.Units())

		var tree any
		require.NoError(t, yaml.Unmarshal(again, &tree))
		asJSON, err := json.Marshal(tree)
		require.NoError(t, err)
		got, err = infra.Parse("again.json", asJSON)
		require.NoError(t, err, "%s", asJSON)
		require.Equal(t, c, got, "%s", asJSON)
	})
}
