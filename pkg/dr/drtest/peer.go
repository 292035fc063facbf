package drtest

import (
	"context"
	"fmt"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// Writer is a database as another Region's monitor reaches it, as long as it is the writer.
type Writer struct{ *Conn }

var _ failover.PeerDatabase = Writer{}

// Writer returns the database as long as it is the writer.
func (c *Conn) Writer() Writer { return Writer{c} }

// Replicated implements failover.PeerDatabase: a secondary is asked for nothing, because
// what it knows is old.
func (w Writer) Replicated(ctx context.Context, from dr.Region) (failover.Beat, error) {
	var got failover.Beat
	err := w.carry(ctx, OpReplicated, func() (err error) { got, err = w.db.written(ctx, from); return err })
	return orZero(got, err)
}

// written is Replicated of a writer, and ErrNotWriter of a secondary.
func (db *Database) written(ctx context.Context, from dr.Region) (failover.Beat, error) {
	if err := db.serve(ctx); err != nil {
		return failover.Beat{}, err
	}
	defer db.pair.mu.Unlock()
	if db.secondary {
		return failover.Beat{}, fmt.Errorf("drtest: read in %s what was written: %w", db.region, failover.ErrNotWriter)
	}
	return db.beats[from], nil
}
