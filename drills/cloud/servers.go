package cloud

import (
	"context"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// Servers is what the control plane acts on: the database servers of a drill's
// target. Calls come from [Cloud.Run]'s goroutines, several at a time, and are
// bounded by their context.
type Servers interface {
	// Promote stops replication in a Region, applies what has arrived and lets
	// its server accept writes. Without dataLoss it first waits until all that
	// the old primary committed has arrived, and fails if it can't know. For a
	// Region that is the primary already it lets the server accept writes
	// again: that undoes a switchover that failed half way.
	Promote(ctx context.Context, target dr.Region, dataLoss bool) error

	// Fence stops the old primary from accepting writes. In a failover it is
	// Aurora's best effort: it may fail, or hang until ctx ends, and never
	// delays the promotion by more than [Config.FenceTimeout].
	Fence(ctx context.Context, old dr.Region) error

	// Rejoin rebuilds an old primary as a secondary of the writer and returns
	// when it replicates. An error means not yet; it is tried again.
	Rejoin(ctx context.Context, old, writer dr.Region) error

	// Reboot cuts a Region's server off and restarts it read-only.
	Reboot(ctx context.Context, r dr.Region) error
}
