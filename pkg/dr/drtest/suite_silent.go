package drtest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// TestSilentServer holds a Fencer and a Beater over a server that does not answer, frozen,
// down or cut off, against their documentation. open returns one that does not answer from
// now on.
func TestSilentServer(t *testing.T, open func(t *testing.T) Fenceable) {
	for name, c := range map[string]struct {
		call     func(context.Context, Fenceable) error
		contract string
	}{
		"fence": {
			func(ctx context.Context, db Fenceable) error { return db.Fence(ctx, 1) },
			"contract: Fence on a server that does not answer is an error, never a success: an open writer may stand behind the silence",
		},
		"open": {
			func(ctx context.Context, db Fenceable) error { return db.Open(ctx, 1) },
			"contract: Open returns nil only when the server has confirmed that it accepts writes",
		},
		"beat": {
			func(ctx context.Context, db Fenceable) error {
				return db.Beat(ctx, failover.Beat{Region: "us-east-1", Epoch: 1, Seq: 1})
			},
			"contract: Beat returns nil only for a commit that the server has confirmed",
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			err := c.call(ctx, open(t))
			require.Error(t, err, c.contract)
			require.NotErrorIs(t, err, failover.ErrReadOnly, "contract: only a server that answers can say that it is read-only")
			require.NotErrorIs(t, err, failover.ErrNotWriter, "contract: only a server that answers can say that it is a secondary")
			require.NotErrorIs(t, err, failover.ErrAnswered, "contract: silence is no answer")
			require.NotErrorIs(t, err, failover.ErrRefusesWrites, "contract: silence is no refusal of writes")
		})
	}
}

// TestIsolatorOfADeadServer holds an Isolator of a server that is down already against its
// documentation.
func TestIsolatorOfADeadServer(t *testing.T, open func(t *testing.T) failover.Isolator) {
	iso, ctx := open(t), callContext(t)
	const contract = "contract: Isolate of a server that is down is a success: it acknowledges nothing, which is all that Isolate is for"
	require.NoError(t, iso.Isolate(ctx, 1), contract)
	require.NoError(t, iso.Isolate(ctx, 1), contract)
}
