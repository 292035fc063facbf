package embedded

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/assembly"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/aurora"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/probe"
)

// databases implements assembly.Databases: the servers in memory, which speak no protocol.
type databases struct{ parts }

var _ assembly.Databases = databases{}

// Own implements assembly.Databases.
func (d databases) Own() (assembly.Database, error) { return d.dial(d.region), nil }

// Peer implements assembly.Databases.
func (d databases) Peer() (failover.ReplicaReader, error) {
	return d.dial(d.setup.Topology.Peer(d.region)), nil
}

// PeerWriter implements assembly.Databases.
func (d databases) PeerWriter() (failover.PeerDatabase, error) {
	return writer{d.dial(d.setup.Topology.Peer(d.region))}, nil
}

// writer is a database as long as it is the writer.
type writer struct{ line }

// Replicated implements failover.PeerDatabase.
func (w writer) Replicated(ctx context.Context, from dr.Region) (got failover.Beat, err error) {
	err = w.pass(ctx, heartbeats, func(ctx context.Context) (err error) { got, err = w.db.Writer().Replicated(ctx, from); return err })
	return got, err
}

// Writes implements assembly.Databases.
func (d databases) Writes() (probe.Writes, error) { return writes{d.parts}, nil }

// Endpoint implements assembly.Databases.
func (d databases) Endpoint() (aurora.Reacher, error) { return endpointReach{d.parts}, nil }

// writes are heartbeat writes on a Region's database.
type writes struct{ parts }

// Write implements probe.Writes.
func (p writes) Write(ctx context.Context, subject dr.Region, _ string, fresh bool) error {
	err := p.dial(subject).probe(ctx, fresh)
	if errors.Is(err, drtest.ErrDown) {
		return fmt.Errorf("%w: %w", err, syscall.ECONNREFUSED) // what a socket would say
	}
	return err
}

// endpointReach commits a write through the endpoint that clients use.
type endpointReach struct{ parts }

// Reach implements aurora.Reacher.
func (e endpointReach) Reach(ctx context.Context, epoch dr.Epoch) (dr.Region, error) {
	to, _, err := e.resolve(ctx, e.region)
	if err != nil {
		return "", err
	}
	if to == e.third.region {
		return to, nil
	}
	return to, e.dial(to).Beat(ctx, failover.Beat{Region: "endpoint", Epoch: epoch, Seq: uint64(time.Now().UnixMicro())})
}
