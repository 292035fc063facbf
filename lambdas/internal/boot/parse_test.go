package boot_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/assembly"
	"github.com/lifeboat-dr/lifeboat/lambdas/internal/boot"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/aurora"
)

const (
	east    dr.Region = "us-east-1"
	west    dr.Region = "us-west-2"
	witness dr.Region = "us-east-2"
)

// environment is a function's in a Region, as module failover sets it.
func environment(r dr.Region, f boot.Function) map[string]string {
	env := map[string]string{
		"AWS_REGION": r.String(), "AWS_LAMBDA_FUNCTION_NAME": "lifeboat-prod-" + string(f),
		"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "hush-key", "AWS_SESSION_TOKEN": "hush-token",
		"LIFEBOAT_GLOBAL_CLUSTER": "lifeboat-prod", "LIFEBOAT_MEMBERS": "us-east-1,us-west-2", "LIFEBOAT_WITNESS": "us-east-2",
		"LIFEBOAT_LEASE_TABLE": "lifeboat-prod-lease",
		"LIFEBOAT_TOPIC_ARN":   fmt.Sprintf("arn:aws:sns:%s:123456789012:lifeboat-prod-alerts", r),
		"LIFEBOAT_POLICY":      "{}",
	}
	if r != witness {
		env["LIFEBOAT_SECRET_ARN"] = fmt.Sprintf("arn:aws:secretsmanager:%s:123456789012:secret:lifeboat-prod-monitor-AbCdEf", r)
		env["LIFEBOAT_DATABASES"] = "us-east-1=east.cluster-abc.us-east-1.rds.amazonaws.com,us-west-2=west.cluster-def.us-west-2.rds.amazonaws.com:3307"
		env["LIFEBOAT_READERS"] = r.String() + "=here.cluster-ro-abc." + r.String() + ".rds.amazonaws.com"
		env["LIFEBOAT_ENDPOINT"] = "lifeboat-prod.global-xyz.global.rds.amazonaws.com"
	}
	if r != witness && f == boot.Monitor {
		env["LIFEBOAT_ADMIN_SECRET_ARN"] = fmt.Sprintf("arn:aws:secretsmanager:%s:123456789012:secret:lifeboat-prod-master-AbCdEf", r)
	}
	return env
}

func parse(f boot.Function, env map[string]string) (boot.Settings, error) {
	return boot.Parse(f, func(key string) string { return env[key] })
}

func TestParse(t *testing.T) {
	s, err := parse(boot.Trigger, environment(west, boot.Trigger))
	require.NoError(t, err)
	require.Equal(t, west, s.Region)
	require.Equal(t, dr.Topology{GlobalCluster: "lifeboat-prod", Members: []dr.Region{east, west}, Witness: witness}, s.Topology)
	require.Equal(t, map[dr.Region]string{east: "lifeboat-prod-us-east-1", west: "lifeboat-prod-us-west-2"}, s.Clusters)
	require.Equal(t, map[dr.Region]string{
		east: "east.cluster-abc.us-east-1.rds.amazonaws.com:3306", west: "west.cluster-def.us-west-2.rds.amazonaws.com:3307",
	}, s.Database.Addresses)
	require.Equal(t, map[dr.Region]string{west: "here.cluster-ro-abc.us-west-2.rds.amazonaws.com:3306"}, s.Database.Readers)
	require.Equal(t, "lifeboat-prod.global-xyz.global.rds.amazonaws.com:3306", s.Database.Endpoint)
	require.Equal(t, aurora.DialectAurora, s.Database.Dialect)
	require.Equal(t, []string{"lifeboat", "lifeboat", "/var/task/rds-ca.pem"}, []string{s.Database.User, s.Database.Schema, s.Database.CA})
	require.True(t, s.Member())

	s, err = parse(boot.Monitor, environment(east, boot.Monitor))
	require.NoError(t, err)
	require.Equal(t, "lifeboat-prod-failover-trigger", s.Trigger)
	require.Equal(t, "arn:aws:secretsmanager:us-east-1:123456789012:secret:lifeboat-prod-monitor-AbCdEf", s.Secret)
	require.Equal(t, "arn:aws:secretsmanager:us-east-1:123456789012:secret:lifeboat-prod-master-AbCdEf", s.Admin)

	env := environment(east, boot.Monitor)
	env["LIFEBOAT_DATABASES"] = "us-east-1=here"
	s, err = parse(boot.Monitor, env)
	require.NoError(t, err, "the peer's address is looked up")
	require.Equal(t, map[dr.Region]string{east: "here:3306"}, s.Database.Addresses)

	s, err = parse(boot.Monitor, environment(witness, boot.Monitor))
	require.NoError(t, err, "the witness needs neither a secret nor a database")
	require.False(t, s.Member())
	require.Empty(t, s.Trigger)
}

func TestParseReadsEveryOption(t *testing.T) {
	env := environment(west, boot.Monitor)
	maps.Copy(env, map[string]string{
		"LIFEBOAT_TRIGGER": "mover", "LIFEBOAT_CLUSTERS": "us-east-1=one, us-west-2=two", "LIFEBOAT_DATABASE_USER": "keeper",
		"LIFEBOAT_DATABASE_CA": "none", "LIFEBOAT_SCHEMA": "boat", "LIFEBOAT_DIALECT": "mysql", "LIFEBOAT_SERVERS": "1=us-east-1,2=us-west-2",
		"AWS_ENDPOINT_URL_LAMBDA": "http://10.0.0.3", "LIFEBOAT_DNS": "10.0.0.2", "LIFEBOAT_POLICY": `{"watchdog":true}`, "LIFEBOAT_WITNESS": "",
	})
	s, err := parse(boot.Monitor, env)
	require.NoError(t, err)
	require.Equal(t, "mover", s.Trigger)
	require.Equal(t, "http://10.0.0.3", s.URL(assembly.Lambda, s.Region))
	require.Equal(t, "one", s.Clusters[east])
	require.Equal(t, "keeper", s.Database.User)
	require.Empty(t, s.Database.CA)
	require.Equal(t, "boat", s.Database.Schema)
	require.Equal(t, aurora.DialectMySQL, s.Database.Dialect)
	require.Equal(t, "10.0.0.2:53", s.Database.DNS)
	require.True(t, s.Policy.Watchdog)
	require.Empty(t, s.Topology.Witness)
}

func TestParseRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		region   dr.Region
		function boot.Function
		set      map[string]string
		want     string
	}{
		"an unknown Region":          {"eu-west-1", boot.Monitor, nil, "AWS_REGION eu-west-1 is neither a member"},
		"no Region":                  {west, boot.Monitor, map[string]string{"AWS_REGION": "west"}, "AWS_REGION is not a Region's code, such as us-east-1 (it has 4 characters)"},
		"a trigger in the witness":   {witness, boot.Trigger, nil, "the trigger stands in the witness us-east-2"},
		"a witness among members":    {west, boot.Monitor, map[string]string{"LIFEBOAT_WITNESS": "us-east-1"}, "witness us-east-1 is also a member"},
		"one member":                 {west, boot.Monitor, map[string]string{"LIFEBOAT_MEMBERS": "us-west-2"}, "Members has 1 Regions"},
		"one member twice":           {west, boot.Monitor, map[string]string{"LIFEBOAT_MEMBERS": "us-west-2,us-west-2"}, "both members are in us-west-2"},
		"a secret in the witness":    {witness, boot.Monitor, map[string]string{"LIFEBOAT_SECRET_ARN": "arn:aws:secretsmanager:us-east-2:123456789012:secret:x"}, "which asks no SQL"},
		"no secret":                  {west, boot.Monitor, map[string]string{"LIFEBOAT_SECRET_ARN": ""}, "LIFEBOAT_SECRET_ARN is not set"},
		"no reader":                  {west, boot.Trigger, map[string]string{"LIFEBOAT_READERS": ""}, "LIFEBOAT_READERS names no address for us-west-2, the local Region"},
		"a reader elsewhere":         {west, boot.Monitor, map[string]string{"LIFEBOAT_READERS": "us-east-1=a"}, "LIFEBOAT_READERS names no address for us-west-2, the local Region"},
		"a reader with no port":      {west, boot.Monitor, map[string]string{"LIFEBOAT_READERS": "us-west-2=a:"}, "LIFEBOAT_READERS, entry 1, is not host:port"},
		"a reader beside nothing":    {west, boot.Monitor, map[string]string{"LIFEBOAT_DATABASES": "us-west-2=a", "LIFEBOAT_READERS": "us-west-2=b,us-east-1=c"}, "LIFEBOAT_READERS names us-east-1, which LIFEBOAT_DATABASES doesn't"},
		"a secret elsewhere":         {west, boot.Monitor, map[string]string{"LIFEBOAT_SECRET_ARN": "arn:aws:secretsmanager:us-east-1:123456789012:secret:x"}, "LIFEBOAT_SECRET_ARN is in another Region than the function, which is in us-west-2"},
		"an admin in the witness":    {witness, boot.Monitor, map[string]string{"LIFEBOAT_ADMIN_SECRET_ARN": "arn:aws:secretsmanager:us-east-2:123456789012:secret:x"}, "LIFEBOAT_ADMIN_SECRET_ARN is set in the witness"},
		"an admin in the trigger":    {west, boot.Trigger, map[string]string{"LIFEBOAT_ADMIN_SECRET_ARN": "arn:aws:secretsmanager:us-west-2:123456789012:secret:x"}, "LIFEBOAT_ADMIN_SECRET_ARN is set for the trigger"},
		"no admin":                   {west, boot.Monitor, map[string]string{"LIFEBOAT_ADMIN_SECRET_ARN": ""}, "LIFEBOAT_ADMIN_SECRET_ARN is not set"},
		"an admin elsewhere":         {west, boot.Monitor, map[string]string{"LIFEBOAT_ADMIN_SECRET_ARN": "arn:aws:secretsmanager:us-east-1:123456789012:secret:x"}, "LIFEBOAT_ADMIN_SECRET_ARN is in another Region"},
		"one secret for both":        {west, boot.Monitor, map[string]string{"LIFEBOAT_SECRET_ARN": "arn:aws:secretsmanager:us-west-2:123456789012:secret:lifeboat-prod-master-AbCdEf"}, "name the same secret"},
		"a topic elsewhere":          {west, boot.Monitor, map[string]string{"LIFEBOAT_TOPIC_ARN": "arn:aws:sns:us-east-1:123456789012:x"}, "the other Region may be lost"},
		"a malformed ARN":            {west, boot.Monitor, map[string]string{"LIFEBOAT_TOPIC_ARN": "alerts"}, "LIFEBOAT_TOPIC_ARN is no ARN of sns"},
		"an ARN of something else":   {west, boot.Monitor, map[string]string{"LIFEBOAT_TOPIC_ARN": "arn:aws:sqs:us-west-2:123456789012:x"}, "is no ARN of sns"},
		"no credentials":             {west, boot.Monitor, map[string]string{"AWS_SECRET_ACCESS_KEY": ""}, "AWS_SECRET_ACCESS_KEY is not set"},
		"a policy with a typo":       {west, boot.Monitor, map[string]string{"LIFEBOAT_POLICY": `{"confirm":3,"leasettl":"6s"}`}, "LIFEBOAT_POLICY has entry 2, which is none of a policy"},
		"a policy that is too slow":  {west, boot.Monitor, map[string]string{"LIFEBOAT_POLICY": `{"confirm":30}`}, "worst case"},
		"a policy and more":          {west, boot.Monitor, map[string]string{"LIFEBOAT_POLICY": `{}{}`}, "LIFEBOAT_POLICY is no JSON at byte 3"},
		"no own database":            {west, boot.Monitor, map[string]string{"LIFEBOAT_DATABASES": "us-east-1=there"}, "names no address for us-west-2, the local Region: give us-west-2=host:port"},
		"no database":                {west, boot.Trigger, map[string]string{"LIFEBOAT_DATABASES": ""}, "names no address for us-west-2"},
		"a database nowhere":         {west, boot.Monitor, map[string]string{"LIFEBOAT_DATABASES": "us-east-2=x"}, "LIFEBOAT_DATABASES, entry 1, is for no member"},
		"a database without a value": {west, boot.Monitor, map[string]string{"LIFEBOAT_DATABASES": "us-west-2"}, "LIFEBOAT_DATABASES, entry 1, is not name=value"},
		"a database twice":           {west, boot.Monitor, map[string]string{"LIFEBOAT_DATABASES": "us-west-2=a,us-west-2=b"}, "LIFEBOAT_DATABASES, entry 2, has the name of an entry before it"},
		"a port that is none":        {west, boot.Monitor, map[string]string{"LIFEBOAT_DATABASES": "us-west-2=a:99999,us-east-1=b"}, "LIFEBOAT_DATABASES, entry 1, is not host:port"},
		"no endpoint":                {west, boot.Trigger, map[string]string{"LIFEBOAT_ENDPOINT": ""}, "LIFEBOAT_ENDPOINT is not set"},
		"no TLS on Aurora":           {west, boot.Monitor, map[string]string{"LIFEBOAT_DATABASE_CA": "none"}, "Aurora's servers demand TLS"},
		"an unknown dialect":         {west, boot.Monitor, map[string]string{"LIFEBOAT_DIALECT": "postgres"}, "LIFEBOAT_DIALECT is unknown: use aurora or mysql"},
		"servers that say nothing":   {west, boot.Trigger, map[string]string{"LIFEBOAT_DIALECT": "mysql"}, "LIFEBOAT_SERVERS is not set"},
		"a server nowhere":           {west, boot.Trigger, map[string]string{"LIFEBOAT_SERVERS": "1=us-east-2"}, "which is no member"},
		"a user with a quote":        {west, boot.Monitor, map[string]string{"LIFEBOAT_DATABASE_USER": "a'b"}, "LIFEBOAT_DATABASE_USER"},
		"a schema with a blank":      {west, boot.Monitor, map[string]string{"LIFEBOAT_SCHEMA": "a b"}, "LIFEBOAT_SCHEMA"},
		"a nameless trigger":         {west, boot.Monitor, map[string]string{"AWS_LAMBDA_FUNCTION_NAME": "watcher"}, "LIFEBOAT_TRIGGER is not set"},
		"an address that is none":    {west, boot.Monitor, map[string]string{"AWS_ENDPOINT_URL_RDS": "localhost"}, "AWS_ENDPOINT_URL_RDS"},
		"a function of neither kind": {west, "janitor", nil, `function "janitor"`},
	} {
		t.Run(name, func(t *testing.T) {
			env := environment(c.region, c.function)
			maps.Copy(env, c.set)
			_, err := parse(c.function, env)
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestParseReportsEverythingAtOnce(t *testing.T) {
	_, err := parse(boot.Trigger, nil)
	for _, want := range []string{"AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "LIFEBOAT_GLOBAL_CLUSTER", "LIFEBOAT_MEMBERS", "LIFEBOAT_LEASE_TABLE", "LIFEBOAT_TOPIC_ARN", "LIFEBOAT_ENDPOINT"} {
		require.ErrorContains(t, err, want+" is not set")
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		require.True(t, strings.HasPrefix(line, "boot: "), line)
	}
}

func TestSettingsHoldNoSecretThatPrintingShows(t *testing.T) {
	s, err := parse(boot.Trigger, environment(west, boot.Trigger))
	require.NoError(t, err)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		require.NotContains(t, fmt.Sprintf(verb, s), "hush")
	}
	got, err := s.Credentials.Retrieve(t.Context())
	require.NoError(t, err)
	require.Equal(t, "hush-key", got.SecretAccessKey)
	require.Equal(t, "hush-token", got.SessionToken)
}

func TestRegionOf(t *testing.T) {
	s := boot.Settings{
		Clusters: map[dr.Region]string{east: "boat", west: "boat-west"},
		Database: boot.Database{Servers: map[string]dr.Region{"7": east, "boat-west-9": east}},
	}
	for server, want := range map[string]dr.Region{"boat-1": east, "boat-west-1": west, "boat-west-9": east, "7": east, "8": "", "boat": "", "boats-1": ""} {
		got, known := s.RegionOf(server)
		require.Equal(t, want, got, server)
		require.Equal(t, want != "", known, server)
	}
}

// FuzzParse holds that no environment makes Parse panic, and that a function can be built
// of what it accepts. The fuzzer overlays a good environment with lines of KEY=VALUE.
func FuzzParse(f *testing.F) {
	for _, lines := range []string{
		"", "AWS_REGION=", "AWS_REGION=us-east-2", "LIFEBOAT_WITNESS=", "LIFEBOAT_WITNESS=us-west-2", "LIFEBOAT_MEMBERS=us-west-2,,us-east-1",
		"LIFEBOAT_MEMBERS=us-west-2,us-west-2", `LIFEBOAT_POLICY={"watchdog":true,"leaseTTL":"3s"}`, "LIFEBOAT_POLICY={}{}", "LIFEBOAT_POLICY=null",
		"LIFEBOAT_DATABASES=us-west-2=a", "LIFEBOAT_DATABASES=us-west-2=[::1]:1,us-east-1=b:1", "LIFEBOAT_DATABASES=us-west-2=:1", "LIFEBOAT_DATABASES==",
		"LIFEBOAT_SERVERS=1=us-east-1\nLIFEBOAT_DIALECT=mysql\nLIFEBOAT_DATABASE_CA=none", "AWS_ENDPOINT_URL=http://x", "AWS_ENDPOINT_URL=://",
		"LIFEBOAT_ENDPOINT_URL_RDS_US_EAST_1=https://x:1/y?z", "LIFEBOAT_ADMIN_SECRET_ARN=", "LIFEBOAT_SECRET_ARN=arn:aws:secretsmanager:us-west-2::secret:",
		"LIFEBOAT_TOPIC_ARN=arn:aws:sns:us-west-2:1:x", "LIFEBOAT_CLUSTERS=us-east-1=a,us-west-2=a", "LIFEBOAT_GLOBAL_CLUSTER=a", "LIFEBOAT_SCHEMA=\x00",
		"LIFEBOAT_ENDPOINT=a:1", "LIFEBOAT_DNS=1.1.1.1", "AWS_LAMBDA_FUNCTION_NAME=x-health-monitor", "LIFEBOAT_TRIGGER=!", "LIFEBOAT_LEASE_TABLE=...",
	} {
		for at := range byte(6) {
			f.Add(lines, at)
		}
	}
	ca := certificates(f)
	f.Fuzz(func(t *testing.T, lines string, at byte) {
		function := []boot.Function{boot.Monitor, boot.Trigger}[at%2]
		env := environment([]dr.Region{east, west, witness}[at/2%3], function)
		for line := range strings.SplitSeq(lines, "\n") {
			if key, value, ok := strings.Cut(line, "="); ok {
				env[key] = value
			}
		}
		s, err := parse(function, env)
		if err != nil {
			for line := range strings.SplitSeq(err.Error(), "\n") {
				require.NotEmpty(t, line)
			}
			return
		}
		if s.Database.CA != "" {
			s.Database.CA = ca // Parse opens no file
		}
		parts, err := boot.New(s, nil, nil)
		require.NoError(t, err)
		defer func() { require.NoError(t, parts.Close()) }()
		runs(t, parts, s)
		if s.Member() {
			require.NotEmpty(t, s.Database.Addresses[s.Region])
			require.NotEqual(t, s.Admin, s.Secret)
		}
	})
}
