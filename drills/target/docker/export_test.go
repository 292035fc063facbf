package docker

import (
	"context"
	"os"

	"github.com/lifeboat-dr/lifeboat/drills/drill"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/cloudnode"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// Shown is what tells from the notes of functions that a fault has had its effect.
var Shown = shown

// Abandoned tells from labels whether what bears them is left over, for the process that
// asks on its own machine.
func Abandoned(host string, labels map[string]string) bool {
	return run{id: "00000000", host: host, pid: os.Getpid()}.abandoned(labels)
}

// Labels are what a run of a process puts on all that belongs to it.
func Labels(host string, pid int) map[string]string {
	return run{id: "00000000", host: host, pid: pid}.labels()
}

// Inside is what a judge may look at past the system under drill.
type Inside struct{ w *world }

// Look returns the inside of a world of this target.
func Look(w drill.World) Inside { return Inside{w.(*world)} }

// Events returns what the control plane has done so far, and the run's zero on its clock.
func (i Inside) Events(ctx context.Context) (events cloudnode.Events, origin int64, err error) {
	events, err = i.w.events(ctx)
	return events, i.w.origin, err
}

// Lease returns the attributes of the lease; none before it was taken.
func (i Inside) Lease(ctx context.Context) (map[string]string, error) {
	n, err := i.w.fleet.Node(cloudName)
	if err != nil {
		return nil, err
	}
	var rows []map[string]string
	if err := n.Get(ctx, "/cloud/lease", &rows); err != nil || len(rows) == 0 {
		return nil, err
	}
	return rows[0], nil
}

// Accepts reports whether a Region's server would take a write.
func (i Inside) Accepts(ctx context.Context, r dr.Region) (bool, error) {
	rows, err := i.w.database(r).Query(ctx, "SELECT @@global.read_only")
	return err == nil && *rows.Rows[0][0] == "0", err
}

// Outputs is the last that the functions wrote.
func (i Inside) Outputs() string { return i.w.outputs() }
