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
func TestBootstrapper(t *testing.T) {
	drtest.TestBootstrapper(t, func(t *testing.T) drtest.Bootstrap {
		w := start(t)
		w.pair.Unbootstrap()
		bootstrapper := func(r dr.Region) failover.Bootstrapper {
			f, err := aurora.NewBootstrapper(aurora.BootstrapperConfig{Region: r, Cluster: w.cluster(t, r), Database: w.net.Dial(r, w.pair.DB(r))})
			require.NoError(t, err)
			return f
		}
		return drtest.Bootstrap{Writer: bootstrapper(east), Secondary: bootstrapper(west), Database: w.net.Dial(east, w.pair.DB(east)), Region: east}
	})
}
