package trigger_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/event"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// own is what a status says of its own Region's server.
func own(t *testing.T, s *event.Situation) event.Server {
	t.Helper()
	var found []event.Server
	for _, server := range s.Writer.Servers {
		if server.SeenBy == s.Region {
			found = append(found, server)
		}
	}
	for _, server := range found {
		if server.Region == s.Region {
			return server
		}
	}
	require.Fail(t, "the local server is not told of", "%+v", s.Writer.Servers)
	return event.Server{}
}

// Each Region's status has the word of its own server.
func TestStatusHasTheServersOwnWord(t *testing.T) {
	bubble(t, drtest.WorldConfig{}, dr.Policy{}, func(t *testing.T, r *rig) {
		s := r.status(east).Status
		require.Equal(t, event.Server{Region: east, SeenBy: east, Role: failover.RoleWriter, Says: "it is the writer"}, own(t, s))
		require.Equal(t, "yes", s.Writer.Agree)
		s = r.status(west).Status
		require.Equal(t, event.Server{Region: west, SeenBy: west, Role: failover.RoleSecondary, Says: "it follows the writer of another Region"}, own(t, s))
		require.Equal(t, "yes", s.Writer.Agree)

		r.Pair.DB(west).Kill()
		s = r.status(west).Status
		require.Equal(t, event.Server{Region: west, SeenBy: west, Says: "it does not answer"}, own(t, s))
		require.Equal(t, "yes", s.Writer.Agree, "silence contradicts nothing")
	})
}

// The writer is moved from the console. Before Lifeboat has followed, the servers say what
// they are now, and that is not what the lease says. The control plane may be behind, or
// silent.
func TestStatusAfterAMoveFromOutside(t *testing.T) {
	for name, hide := range map[string]bool{"the control plane answers": false, "the control plane is silent": true} {
		t.Run(name, func(t *testing.T) {
			bubble(t, drtest.WorldConfig{}, dr.Policy{}, func(t *testing.T, r *rig) {
				r.end() // no monitor follows
				r.ctx = t.Context()
				require.NoError(t, r.Pair.Move(west, time.Millisecond, true))
				r.wait(time.Second)
				r.Net.SetHook(func(c drtest.Call) drtest.Fault { return drtest.Fault{Hang: hide && c.Op == drtest.OpDescribe} })
				for region, want := range map[dr.Region]failover.Role{east: failover.RoleSecondary, west: failover.RoleWriter} {
					a := r.status(region)
					require.Equal(t, want, own(t, a.Status).Role)
					require.Equal(t, "no", a.Status.Writer.Agree)
					require.Equal(t, east, a.Status.Writer.Lease.Holder)
					require.Contains(t, a.Detail, "the server of "+region.String()+" says that it is the "+string(want))
				}
			})
		})
	}
}

// Nothing that answers, answers: the status still comes in time, and names each part.
func TestStatusWhenEverythingHangs(t *testing.T) {
	bubble(t, drtest.WorldConfig{}, dr.Policy{}, func(t *testing.T, r *rig) {
		r.marks[west].silent = true
		cfg := r.config(west)
		r.Net.SetHook(func(c drtest.Call) drtest.Fault { return drtest.Fault{Hang: c.From == west} })
		began := time.Now()
		a, err := r.call(cfg, lambdaLimit, `{"mode":"status"}`)
		require.NoError(t, err)
		require.LessOrEqual(t, time.Since(began), 3*time.Second)
		require.Contains(t, a.Detail, "where the writer is could not be told")
		require.Equal(t, "unknown", a.Status.Writer.Agree)
		require.GreaterOrEqual(t, len(a.Status.Unknown), 7, "%v", a.Status.Unknown)
		require.Empty(t, own(t, a.Status).Role)
	})
}
