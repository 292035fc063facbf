package drtest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// Moves is what the Promoter suite acts on: a healthy global database.
type Moves struct {
	Promoter          failover.Promoter
	Writer, Secondary dr.Region
}

// TestPromoter holds a Promoter against its documentation. open returns one over a
// healthy global database that only the suite moves. A promotion must take long enough
// for one more call to see it under way.
func TestPromoter(t *testing.T, open func(t *testing.T) Moves) {
	t.Run("describe names the writer", func(t *testing.T) {
		m := open(t)
		got, err := m.Promoter.Describe(callContext(t))
		require.NoError(t, err)
		require.NotEmpty(t, got.Status)
		require.Equal(t, m.Writer, got.Writer, "contract: Describe names the Region of the member that is the writer now")
		require.Empty(t, got.MovingTo, "contract: MovingTo is empty while no move is under way")
	})

	for mode, ask := range map[string]func(m Moves, t *testing.T, to dr.Region) error{
		"failover":   func(m Moves, t *testing.T, to dr.Region) error { return m.Promoter.Failover(callContext(t), to) },
		"switchover": func(m Moves, t *testing.T, to dr.Region) error { return m.Promoter.Switchover(callContext(t), to) },
	} {
		t.Run("a "+mode+" is seen under way until the writer has moved", func(t *testing.T) {
			m := open(t)
			require.NoError(t, ask(m, t, m.Secondary))
			eventually(t, "the writer has moved", func() bool {
				got, err := m.Promoter.Describe(callContext(t))
				require.NoError(t, err)
				if got.MovingTo == "" {
					require.Equal(t, m.Secondary, got.Writer, "contract: a move is described as under way until the writer has moved: idle before would make a controller ask again")
					return true
				}
				require.Equal(t, m.Secondary, got.MovingTo)
				return false
			})
		})
		t.Run("a "+mode+" to a Region without a member is refused", func(t *testing.T) {
			m := open(t)
			require.Error(t, ask(m, t, "eu-central-1"), "contract: a move to a Region without a member is refused, and nothing moves")
			got, err := m.Promoter.Describe(callContext(t))
			require.NoError(t, err)
			require.Equal(t, m.Writer, got.Writer)
			require.Empty(t, got.MovingTo)
		})
	}

	t.Run("while the writer moves, a second move is refused", func(t *testing.T) {
		m := open(t)
		require.NoError(t, m.Promoter.Failover(callContext(t), m.Secondary))
		got, err := m.Promoter.Describe(callContext(t))
		require.NoError(t, err)
		require.Equal(t, m.Secondary, got.MovingTo, "a promotion here must take long enough to be seen")
		require.Error(t, m.Promoter.Switchover(callContext(t), m.Secondary), "contract: a second move is refused while one is under way")
	})

	t.Run("no call succeeds under an ended context", func(t *testing.T) {
		m := open(t)
		_, err := m.Promoter.Describe(endedContext(t))
		require.Error(t, err)
		require.Error(t, m.Promoter.Failover(endedContext(t), m.Secondary))
		require.Error(t, m.Promoter.Switchover(endedContext(t), m.Secondary))
	})
}

// TestPreflighter holds a Preflighter against its documentation. open returns one of a
// member that is a healthy secondary of a global database that only the suite moves.
func TestPreflighter(t *testing.T, open func(t *testing.T) failover.Preflighter) {
	p := open(t)
	for range 2 {
		got, err := p.Preflight(callContext(t))
		require.NoError(t, err)
		require.True(t, got.ClusterKnown, "contract: what the control plane has answered is known")
		require.Equal(t, failover.RoleSecondary, got.Role, "contract: Role is what the server itself says")
		require.False(t, got.Silent, "contract: a server that has answered is not silent")
		require.Empty(t, got.Missing, "contract: nothing stands in the way of promoting a healthy secondary, and Preflight itself changes nothing")
		require.Empty(t, got.Unknown, "contract: Unknown is what could not be asked")
	}
}

// TestRouter holds a Router against its documentation. open returns one over a
// writer in the Region, to which clients are not led yet.
func TestRouter(t *testing.T, open func(t *testing.T) (failover.Router, dr.Region)) {
	t.Run("a redirect leads clients to the writer", func(t *testing.T) {
		r, to := open(t)
		require.NoError(t, r.Redirect(callContext(t), to, 2))
		require.NoError(t, r.Redirect(callContext(t), to, 2), "contract: Redirect is idempotent")
		eventually(t, "a write lands in "+to.String(), func() bool {
			at, err := r.Reach(callContext(t), 2)
			return err == nil && at == to
		})
	})
	t.Run("no call succeeds under an ended context", func(t *testing.T) {
		r, to := open(t)
		require.Error(t, r.Redirect(endedContext(t), to, 2))
		_, err := r.Reach(endedContext(t), 2)
		require.Error(t, err)
	})
}

// TestNotifier holds a Notifier against its documentation: it takes every message
// that a controller may write.
func TestNotifier(t *testing.T, open func(t *testing.T) failover.Notifier) {
	for name, m := range map[string]failover.Message{
		"a plain message":      {Subject: "failover: the writer moved from us-east-1 to us-west-2", Body: "execution 0000000002-0001\n"},
		"a long subject":       {Subject: strings.Repeat("failover to us-west-2 waits for an answer ", 8), Body: "x"},
		"a subject with lines": {Subject: "failover\nto us-west-2 – ünïcode", Body: "x"},
		"a long body":          {Subject: "failover", Body: strings.Repeat("evidence\n", 4000)},
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, open(t).Notify(callContext(t), m), "contract: Notify takes every message that a controller may write, and shortens what is too long")
		})
	}
	t.Run("no call succeeds under an ended context", func(t *testing.T) {
		require.Error(t, open(t).Notify(endedContext(t), failover.Message{Subject: "x", Body: "y"}))
	})
}
