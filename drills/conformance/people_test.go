package conformance_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/cloudwatch"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/notify"
)

func TestTopic(t *testing.T) {
	var last *world
	drtest.TestNotifier(t, func(t *testing.T) failover.Notifier {
		w := start(t)
		last = w
		n, err := notify.New(notify.Config{Region: west, ARN: w.TopicARN(west, topic), Client: notify.NewClient(config(), west, "", w.From(west))})
		require.NoError(t, err)
		return n
	})
	require.Empty(t, last.Published(), "the last part publishes nothing")
}

func TestRPOLag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t)
		l, err := cloudwatch.NewRPOLag(cloudwatch.LagConfig{Region: west, Cluster: globalCluster + "-us-west-2", Client: cloudwatch.NewClient(config(), west, "", w.From(west))})
		require.NoError(t, err)
		lag, err := l.Lag(t.Context())
		require.NoError(t, err)
		require.Nil(t, lag, "no datapoint is unknown")

		require.NoError(t, w.RecordRPOLag(west, 340*time.Millisecond))
		at := time.Now()
		<-time.After(3 * time.Minute) // Aurora's metrics are late
		lag, err = l.Lag(t.Context())
		require.NoError(t, err)
		require.NotNil(t, lag)
		require.Equal(t, 340*time.Millisecond, lag.Value)
		require.Equal(t, at.Truncate(time.Minute).UTC(), lag.At.UTC())

		<-time.After(10 * time.Minute)
		lag, err = l.Lag(t.Context())
		require.NoError(t, err)
		require.Nil(t, lag, "an old datapoint is unknown too")
	})
}

func TestRole(t *testing.T) {
	w := start(t)
	r, err := cloudwatch.NewRole(cloudwatch.RoleConfig{
		Topology: dr.Topology{GlobalCluster: globalCluster, Members: []dr.Region{east, west}, Witness: witness},
		Region:   west, Client: cloudwatch.NewClient(config(), west, "", w.From(west)),
	})
	require.NoError(t, err)
	require.NoError(t, r.Redirect(t.Context(), west, 2))
}
