//go:build linux

package cloudnode_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/drill"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/clock"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/cloudnode"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/control"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/host"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/mysqld"
	"github.com/lifeboat-dr/lifeboat/drills/workload"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/aurora"
)

// node runs the role on loopback and returns a client of its control API.
func node(t *testing.T) *control.Client {
	t.Helper()
	h := &host.Host{Control: control.NewServer(control.Lifeline{}), Log: slog.New(slog.DiscardHandler)}
	ctx, cancel := context.WithCancel(context.Background())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	role, served := make(chan error, 1), make(chan error, 1)
	go func() { role <- cloudnode.Role(ctx, h) }()
	go func() { served <- h.Control.Run(ctx, l) }()
	c := control.NewClient("aws/cloud", l.Addr().String())
	t.Cleanup(func() {
		c.Close()
		cancel()
		require.NoError(t, <-role)
		require.NoError(t, <-served)
	})
	return c
}

// port returns one that is free for TCP, and was so a moment ago.
func port(t *testing.T) uint16 {
	t.Helper()
	l, err := net.Listen("tcp4", ":0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).AddrPort().Port()
}

// config has the members' servers where nothing listens, and takes every caller
// for one from home.
func config(t *testing.T, home dr.Region) cloudnode.Config {
	t.Helper()
	dead := netip.MustParseAddrPort("127.0.0.1:1")
	cfg := cloudnode.Config{
		GlobalCluster: "ledger", Table: "lifeboat", Topic: "lifeboat", EndpointTTL: 5 * time.Second,
		Regions: []cloudnode.Region{
			{Name: drill.East, Server: dead, Control: dead}, {Name: drill.West, Server: dead, Control: dead}, {Name: drill.Witness},
		},
		Admin: mysqld.Admin, Apps: []mysqld.Account{mysqld.App},
		Latency: []cloudnode.Latency{{A: drill.East, B: drill.West, RoundTrip: 60 * time.Millisecond}},
	}
	for i := range cfg.Regions {
		r := &cfg.Regions[i]
		r.Port, r.Network = port(t), netip.MustParsePrefix("10.213.0.0/24")
		if r.Name == home {
			r.Network = netip.MustParsePrefix("127.0.0.0/8")
		}
	}
	return cfg
}

func credentials() aws.Config {
	return aws.Config{Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "DRILL", SecretAccessKey: "drill"}, nil
	})}
}

func describe(t *testing.T, r cloudnode.Region, timeout time.Duration) (*rds.DescribeGlobalClustersOutput, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	return aurora.NewClient(credentials(), r.Name, fmt.Sprintf("http://127.0.0.1:%d", r.Port), nil).
		DescribeGlobalClusters(ctx, &rds.DescribeGlobalClustersInput{GlobalClusterIdentifier: aws.String("ledger")})
}

func TestControlPlane(t *testing.T) {
	c := node(t)
	post := func(path string, query url.Values) error { return c.Call(t.Context(), path, query, nil, nil) }
	require.Eventually(t, func() bool { return post("/cloud/stop", nil) == nil }, 5*time.Second, 5*time.Millisecond)
	require.ErrorContains(t, post("/cloud/link", nil), "no cloud has been started")

	cfg := config(t, drill.West)
	east, west := cfg.Regions[0], cfg.Regions[1]
	var info cloudnode.Info
	require.NoError(t, c.Call(t.Context(), "/cloud/start", nil, cfg, &info))
	require.Equal(t, map[dr.Region]string{drill.East: "ledger-us-east-1", drill.West: "ledger-us-west-2"}, info.Clusters)
	require.Contains(t, info.Topics[drill.West], "arn:aws:sns:us-west-2:")
	var w cloudnode.Writer
	require.NoError(t, c.Get(t.Context(), "/cloud/writer", &w))
	require.Equal(t, drill.East, w.Region)

	t.Run("home and abroad", func(t *testing.T) {
		out, err := describe(t, west, 5*time.Second)
		require.NoError(t, err)
		require.Len(t, out.GlobalClusters, 1)
		start := time.Now()
		_, err = describe(t, east, 5*time.Second)
		require.NoError(t, err)
		require.GreaterOrEqual(t, time.Since(start), 60*time.Millisecond, "another Region costs a round trip")
	})
	t.Run("link", func(t *testing.T) {
		ends := url.Values{"a": {"us-east-1"}, "b": {"us-west-2"}, "up": {"false"}}
		require.NoError(t, post("/cloud/link", ends))
		_, err := describe(t, east, 300*time.Millisecond)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		_, err = describe(t, west, 5*time.Second)
		require.NoError(t, err)
		ends.Set("up", "true")
		require.NoError(t, post("/cloud/link", ends))
		_, err = describe(t, east, 5*time.Second)
		require.NoError(t, err)
	})
	t.Run("silence", func(t *testing.T) {
		for range 2 { // to silence what is silent changes nothing
			require.NoError(t, post("/cloud/silence", url.Values{"region": {"us-west-2"}}))
		}
		_, err := describe(t, west, 300*time.Millisecond)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NoError(t, post("/cloud/silence", url.Values{"region": {"us-west-2"}, "on": {"false"}}))
		_, err = describe(t, west, 5*time.Second)
		require.NoError(t, err)
	})
	t.Run("throttle", func(t *testing.T) {
		_, err := describe(t, cloudnode.Region{Name: "eu-west-1", Port: west.Port}, 5*time.Second)
		require.Error(t, err, "another error is no throttling")
		throttled := func(for_ string) error {
			require.NoError(t, post("/cloud/throttle", url.Values{"region": {"us-west-2"}, "for": {for_}}))
			_, err := describe(t, west, 5*time.Second)
			return err
		}
		for range 2 { // the second one takes the first one's place
			require.ErrorContains(t, throttled("10m"), "Throttling")
		}
		before := clock.Monotonic()
		counted := func() (out cloudnode.Calls) {
			require.NoError(t, c.Get(t.Context(), "/cloud/throttled", &out))
			return out
		}
		some := counted()[drill.West]
		require.GreaterOrEqual(t, some.Calls, 2)
		require.Positive(t, some.Last)
		require.Less(t, some.Last, before)
		require.NoError(t, throttled(""), "healed")
		require.Equal(t, cloudnode.Calls{drill.West: some}, counted(), "a call that is served doesn't count, nor does a fault that meets no call")
		require.ErrorContains(t, throttled("10m"), "Throttling")
		require.NoError(t, post("/cloud/throttle", url.Values{"region": {"us-west-2"}, "for": {"20ms"}}))
		require.Eventually(t, func() bool { _, err := describe(t, west, 5*time.Second); return err == nil }, 5*time.Second, 5*time.Millisecond)
		require.ErrorContains(t, post("/cloud/throttle", url.Values{"for": {"soon"}}), "400")
	})
	t.Run("fault", func(t *testing.T) {
		const text = "us-west-2/dynamodb/*=error(503)"
		store := func(r cloudnode.Region) error {
			endpoint := fmt.Sprintf("http://127.0.0.1:%d", r.Port)
			client := dynamodb.New(dynamodb.Options{
				Region: r.Name.String(), BaseEndpoint: &endpoint, Credentials: credentials().Credentials, Retryer: aws.NopRetryer{},
			})
			_, err := client.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("lifeboat")})
			return err
		}
		refused := func() (out cloudnode.Calls) {
			require.NoError(t, c.Get(t.Context(), "/cloud/refused", &out))
			return out
		}
		require.NoError(t, store(west))
		for range 2 { // to switch on what is on changes nothing
			require.NoError(t, post("/cloud/fault", url.Values{"fault": {text}}))
		}
		require.Empty(t, refused(), "a fault that meets no call")
		require.ErrorContains(t, store(west), "503")
		require.NoError(t, store(east), "another Region")
		_, err := describe(t, west, 5*time.Second)
		require.NoError(t, err, "another service")
		require.Equal(t, 1, refused()[drill.West].Calls)
		require.Positive(t, refused()[drill.West].Last)
		for range 2 {
			require.NoError(t, post("/cloud/fault", url.Values{"fault": {text}, "on": {"false"}}))
			require.NoError(t, store(west))
		}
		require.NoError(t, post("/cloud/fault", url.Values{"fault": {"*/dynamodb/*=error(503)"}}))
		require.ErrorContains(t, store(west), "503")
		require.ErrorContains(t, store(east), "503")
		require.NoError(t, post("/cloud/fault", url.Values{"fault": {"*/dynamodb/*=error(503)"}, "on": {"false"}}))
		require.ErrorContains(t, post("/cloud/fault", url.Values{"fault": {"us-west-2/dynamodb"}}), "400")
		require.ErrorContains(t, post("/cloud/fault", url.Values{"fault": {text}, "on": {"perhaps"}}), "400")
	})
	t.Run("secrets", func(t *testing.T) {
		arn := info.Secrets[drill.West]["lifeboat_app"]
		require.Contains(t, arn, "arn:aws:secretsmanager:us-west-2:")
		endpoint := fmt.Sprintf("http://127.0.0.1:%d", west.Port)
		client := secretsmanager.New(secretsmanager.Options{
			Region: "us-west-2", BaseEndpoint: &endpoint, Credentials: credentials().Credentials,
		})
		got, err := client.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: &arn})
		require.NoError(t, err)
		require.JSONEq(t, `{"username":"lifeboat_app","password":"app"}`, *got.SecretString)
	})
	t.Run("names", func(t *testing.T) {
		r, err := workload.NewResolver(workload.ResolverConfig{Server: fmt.Sprintf("127.0.0.1:%d", west.Port)})
		require.NoError(t, err)
		found, err := r.Lookup(t.Context(), info.Endpoint)
		require.NoError(t, err)
		require.Equal(t, []netip.Addr{east.Server.Addr()}, found)
	})
	t.Run("start anew", func(t *testing.T) {
		require.NoError(t, c.Call(t.Context(), "/cloud/start", nil, cfg, nil), "on the same ports")
		_, err := describe(t, west, 5*time.Second)
		require.NoError(t, err)
		taken := cfg
		taken.Regions = append([]cloudnode.Region(nil), cfg.Regions...)
		taken.Regions[1].Port = taken.Regions[0].Port
		require.ErrorContains(t, c.Call(t.Context(), "/cloud/start", nil, taken, nil), "open the ports of us-west-2")
		require.NoError(t, c.Call(t.Context(), "/cloud/start", nil, cfg, nil), "nothing of the failed one is left")
	})
}

// A failover whose server can't be reached fails, and the events say so.
func TestPromotionWithoutAServer(t *testing.T) {
	c := node(t)
	cfg := config(t, drill.West)
	require.Eventually(t, func() bool { return c.Call(t.Context(), "/cloud/start", nil, cfg, nil) == nil }, 5*time.Second, 10*time.Millisecond)
	api := aurora.NewClient(credentials(), drill.West, fmt.Sprintf("http://127.0.0.1:%d", cfg.Regions[1].Port), nil)
	cluster, err := aurora.NewCluster(aurora.ClusterConfig{
		GlobalCluster: "ledger", Region: drill.West, Clients: func(dr.Region) aurora.GlobalAPI { return api },
	})
	require.NoError(t, err)
	require.NoError(t, cluster.Failover(t.Context(), drill.West))
	var e cloudnode.Events
	require.Eventually(t, func() bool {
		require.NoError(t, c.Get(t.Context(), "/cloud/events", &e))
		return len(e.Operations) == 1 && e.Operations[0].Error != ""
	}, 10*time.Second, 20*time.Millisecond)
	require.Contains(t, e.Operations[0].Error, "connect to us-west-2")
	require.Zero(t, e.Operations[0].Promote)
	now, err := cluster.Describe(t.Context())
	require.NoError(t, err)
	require.Equal(t, drill.East, now.Writer)
}

// A person's move comes from outside every Region: no link and no caller's network matters.
func TestConsole(t *testing.T) {
	c := node(t)
	cfg := config(t, drill.West)
	ask := func(how, region string) error {
		return c.Call(t.Context(), "/cloud/console", url.Values{"how": {how}, "region": {region}}, nil, nil)
	}
	require.Eventually(t, func() bool { return c.Call(t.Context(), "/cloud/start", nil, cfg, nil) == nil }, 5*time.Second, 10*time.Millisecond)
	require.NoError(t, c.Call(t.Context(), "/cloud/link", url.Values{"a": {"us-east-1"}, "b": {"us-west-2"}, "up": {"false"}}, nil, nil))
	require.ErrorContains(t, ask(cloudnode.Failover, "us-east-2"), "no member of the global cluster is there")
	require.ErrorContains(t, ask(cloudnode.Failover, ""), "400")
	require.ErrorContains(t, ask("reboot", "us-west-2"), `move "reboot" is not known: use switchover or failover`)
	require.ErrorContains(t, ask(cloudnode.Failover, "us-east-1"), "failover to us-east-1", "it is the writer")

	before := clock.Monotonic()
	require.NoError(t, ask(cloudnode.Failover, "us-west-2"))
	var e cloudnode.Events
	require.NoError(t, c.Get(t.Context(), "/cloud/events", &e))
	require.Len(t, e.Operations, 1)
	require.Equal(t, []any{"failover", drill.East, drill.West}, []any{e.Operations[0].Kind, e.Operations[0].From, e.Operations[0].To})
	require.Greater(t, e.Operations[0].Accepted, before)
	require.Less(t, e.Operations[0].Accepted, clock.Monotonic())
	require.ErrorContains(t, ask(cloudnode.Switchover, "us-west-2"), "switchover to us-west-2", "one at a time")
}
