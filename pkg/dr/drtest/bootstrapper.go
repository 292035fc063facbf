package drtest

import (
	"context"
	"fmt"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// Bootstrapper bootstraps on the database of one Region.
type Bootstrapper struct {
	control *Control
	db      *Conn
}

var _ failover.Bootstrapper = (*Bootstrapper)(nil)

// NewBootstrapper returns the bootstrapper of the Region that db is in, whose control plane is
// control.
func NewBootstrapper(control *Control, db *Conn) *Bootstrapper { return &Bootstrapper{control, db} }

// Bootstraps implements failover.Bootstrapper.
func (f *Bootstrapper) Bootstraps(ctx context.Context) (bool, error) {
	now, err := f.control.Describe(ctx)
	return err == nil && now.Writer == f.db.db.region && now.MovingTo == "", err
}

// Install implements failover.Bootstrapper.
func (f *Bootstrapper) Install(ctx context.Context) error {
	newest, err := f.db.Newest(ctx)
	if err != nil {
		return err
	}
	if newest > 0 {
		return fmt.Errorf("drtest: bootstrap in %s: %w: %d", f.db.db.region, failover.ErrBootstrapped, newest)
	}
	return f.db.Install(ctx)
}

// Install makes the heartbeat table, also on a writer that is read-only.
func (db *Database) Install(ctx context.Context) error {
	if err := db.serve(ctx); err != nil {
		return err
	}
	defer db.pair.mu.Unlock()
	if db.secondary {
		return fmt.Errorf("drtest: install in %s: %w", db.region, failover.ErrNotWriter)
	}
	if !db.installed {
		db.commit(record{install: true})
	}
	return nil
}

// Newest returns the newest epoch that the database has seen, 0 for none.
func (db *Database) Newest(ctx context.Context) (dr.Epoch, error) {
	if err := db.serve(ctx); err != nil {
		return 0, err
	}
	defer db.pair.mu.Unlock()
	return db.seen(), nil
}

// Installed reports whether the heartbeat table has arrived here: for assertions.
func (db *Database) Installed() bool {
	db.pair.mu.Lock()
	defer db.pair.mu.Unlock()
	db.pair.advance(time.Now())
	return db.installed
}

// Unfound makes the servers new ones: read-only, without a heartbeat table.
func (p *Pair) Unbootstrap() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, db := range p.dbs {
		db.installed, db.readOnly = false, true
	}
}
