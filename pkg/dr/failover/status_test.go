package failover_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

func TestStatus(t *testing.T) {
	at := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	lease := &failover.Lease{Holder: east, Epoch: 1}
	plane := func(w dr.Region, role failover.Role) *failover.Readiness {
		return &failover.Readiness{ClusterKnown: true, Cluster: failover.Cluster{Writer: w}, Role: role}
	}
	for name, c := range map[string]struct {
		failover.Facts
		agree bool
	}{
		"nothing is known":               {failover.Facts{}, true},
		"all say the same":               {failover.Facts{Lease: lease, Readiness: plane(east, failover.RoleSecondary)}, true},
		"the control plane says another": {failover.Facts{Lease: lease, Readiness: plane(west, failover.RoleSecondary)}, false},
		"the server reports another":     {failover.Facts{Lease: lease, Readiness: plane(east, failover.RoleWriter)}, false},
		"a third Region":                 {failover.Facts{Lease: lease, Readiness: plane("eu-central-1", failover.RoleSecondary)}, false},
	} {
		c.Region, c.At = west, at
		require.Equal(t, c.agree, failover.NewStatus(dr.Policy{}, topology, c.Facts).Agree, name)
	}

	x := whole(failover.AwaitingApproval)
	x.Pause = &failover.Pause{Until: at.Add(time.Hour), By: "jane", Reason: "maintenance"}
	v := lost()
	s := failover.NewStatus(dr.Policy{}, topology, failover.Facts{Region: west, Lease: lease, Latest: &failover.Entry{Execution: x}, Verdict: &v, At: v.At})
	require.Equal(t, "a person", s.WaitsFor)
	require.Equal(t, "acknowledge", s.Answer.Mode)
	require.Equal(t, "1", s.Answer.Question)
	require.Equal(t, "abort", s.WayOut.Mode)
	require.Contains(t, s.Paused, "jane has paused")
	require.Equal(t, "80ms", s.Lag)
	require.Equal(t, "5s", s.LagAge)
	v.Lag = nil
	require.Empty(t, failover.NewStatus(dr.Policy{}, topology, failover.Facts{Verdict: &v}).Lag, "unknown is never zero")
}
