package conformance_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/aurora"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// The control plane is asked for real; the servers are in memory. Their SQL is held
// against the same suite on MySQL, in drills/target/docker.
func TestFounder(t *testing.T) {
	drtest.TestFounder(t, func(t *testing.T) drtest.Founding {
		w := start(t)
		w.pair.Unfound()
		founder := func(r dr.Region) failover.Founder {
			f, err := aurora.NewFounder(aurora.FounderConfig{Region: r, Cluster: w.cluster(t, r), Database: w.net.Dial(r, w.pair.DB(r))})
			require.NoError(t, err)
			return f
		}
		return drtest.Founding{Writer: founder(east), Secondary: founder(west), Database: w.net.Dial(east, w.pair.DB(east)), Region: east}
	})
}
