// Package conformance_test holds the adapters for AWS against the suites of
// pkg/dr/drtest, with the real SDK clients on emulated Regions. The adapters may not
// import drills, so their conformance is tested here.
package conformance_test

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/cloud"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
)

const (
	east    dr.Region = "us-east-1"
	west    dr.Region = "us-west-2"
	witness dr.Region = "us-east-2"

	table         = "lifeboat-lease"
	globalCluster = "lifeboat"
	topic         = "people"
)

// world is an emulated cloud over a pair of databases in memory.
type world struct {
	*cloud.Cloud
	pair     *drtest.Pair
	net      *drtest.Network
	rebooted chan struct{} // one for each restart
}

// servers lets the emulated control plane act on the pair.
type servers struct{ *world }

func (s servers) Promote(_ context.Context, r dr.Region, _ bool) error {
	_, err := s.pair.Promote(r)
	return err
}

func (s servers) Fence(ctx context.Context, r dr.Region) error {
	return s.net.Dial(r, s.pair.DB(r)).Fence(ctx, 1)
}

func (s servers) Rejoin(_ context.Context, old, _ dr.Region) error { return s.pair.Rejoin(old) }

func (s servers) Reboot(_ context.Context, r dr.Region) error {
	s.pair.DB(r).Reboot()
	s.rebooted <- struct{}{}
	return nil
}

// start makes a world with empty stores, in its steady state, whose Regions are near
// to each other: the suites run in real time.
func start(t *testing.T) *world { return startWith(t, 2*time.Millisecond) }

// startWith makes a world with a round trip between its Regions; 0 means as far as
// they are.
func startWith(t *testing.T, roundTrip time.Duration) *world {
	t.Helper()
	w := &world{
		pair: drtest.NewPair(east, west, func() time.Duration { return time.Millisecond }),
		net:  drtest.NewNetwork(east, west, witness), rebooted: make(chan struct{}, 8),
	}
	quick := func(*rand.Rand) time.Duration { return 100 * time.Millisecond }
	cfg := cloud.Config{
		GlobalCluster: globalCluster,
		Servers:       servers{w},
		Tables:        []cloud.Table{{Name: table, PartitionKey: "pk", SortKey: "sk"}},
		Topics:        []cloud.Topic{{Region: west, Name: topic}},
		Promotion:     quick, Switchover: quick, DNSDelay: quick,
	}
	if roundTrip > 0 {
		cfg.Latency = func(_, _ dr.Region) time.Duration { return roundTrip }
	}
	var err error
	w.Cloud, err = cloud.New(cfg)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-done)
	})
	return w
}

func config() aws.Config {
	return aws.Config{Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "example"}, nil
	})}
}
