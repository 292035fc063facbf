package failover_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

func TestAWatchdogThatIsGoneIsInstalledAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, dr.Policy{Watchdog: true})
		defer r.end()
		_, stop := r.guard(east)
		defer stop()
		watched := r.Pair.DB(east).Watched
		r.until("installed", 5*time.Second, watched)
		require.NoError(t, r.Pair.DB(east).RemoveWatchdog(t.Context()))
		r.until("installed again", 11*time.Second, watched)
		require.Len(t, r.problems("check the watchdog"), 1)
		require.True(t, r.Pair.DB(east).Accepts())
	})
}

func TestAWatchdogThatThePolicyDropsIsRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		require.NoError(t, r.Pair.DB(east).InstallWatchdog(t.Context(), 3*time.Second))
		_, stop := r.guard(east)
		r.until("removed", 5*time.Second, func() bool { return !r.Pair.DB(east).Watched() })
		stop()
		r.wait(time.Minute)
		require.True(t, r.Pair.DB(east).Accepts(), "an outage of the monitor stops no writes")
	})
}
