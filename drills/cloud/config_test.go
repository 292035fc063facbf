package cloud_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/cloud"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// TestValidate holds that a configuration's mistakes are all reported at once.
func TestValidate(t *testing.T) {
	require.NoError(t, cloud.Config{Servers: newServers()}.Validate())
	err := cloud.Config{
		Members: []cloud.Member{{Region: "us-east-2"}},
		Tables: []cloud.Table{
			{Name: "a"}, {Name: "b", PartitionKey: "k", SortKey: "k"}, {Name: "c", PartitionKey: "k", PartitionType: "BOOL"},
			{Name: "d", PartitionKey: "k"}, {Name: "d", PartitionKey: "k"},
		},
		Topics:         []cloud.Topic{{Region: "eu-west-1", Name: "x"}},
		Secrets:        []cloud.Secret{{Region: "us-east-2", Name: "s"}, {Region: "us-east-2", Name: "s"}, {Region: "eu-west-1", Name: "s"}, {Region: "us-east-2"}},
		DNSTTL:         1500 * time.Millisecond,
		FenceTimeout:   -time.Second,
		RejoinInterval: -time.Second,
	}.Validate()
	for _, want := range []string{
		"Servers is required", "needs two or more", "us-east-2 is used twice", "Tables[0] needs", "table b uses k for both", "type \"BOOL\"",
		"table d is listed twice", "Topics[0] (x in \"eu-west-1\")", "secret s in us-east-2 is listed twice",
		"Secrets[2] (s in \"eu-west-1\")", "Secrets[3] (", "DNSTTL is 1.5s", "FenceTimeout is -1s", "RejoinInterval is -1s",
	} {
		require.ErrorContains(t, err, want)
	}
	_, err = cloud.New(cloud.Config{})
	require.ErrorContains(t, err, "cloud: config: Servers is required")
}

func TestDefaults(t *testing.T) {
	w := start(t, nil)
	require.Equal(t, []dr.Region{east, west, witness}, w.Regions())
	require.Equal(t, eastARN, w.ClusterARN(east))
	member, addr, ttl := w.Resolve(witness)
	require.Equal(t, east, member)
	require.Equal(t, "10.0.0.10", addr.String())
	require.Equal(t, 5*time.Second, ttl)
}

func TestUniform(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	draw := cloud.Uniform(2*time.Second, 3*time.Second)
	for range 1000 {
		d := draw(r)
		require.GreaterOrEqual(t, d, 2*time.Second)
		require.Less(t, d, 3*time.Second)
	}
	require.Equal(t, time.Second, cloud.Uniform(time.Second, time.Second)(r))
}
