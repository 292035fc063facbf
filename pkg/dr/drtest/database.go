package drtest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// Database is the in-memory database of one Region.
type Database struct {
	region dr.Region
	pair   *Pair

	// All fields below are guarded by pair.mu.
	secondary bool // it follows, or did until the writer was lost
	readOnly  bool // fenced, or booted and not opened yet
	down      bool
	thaw      chan struct{} // closed on thaw; nil when not frozen
	cut       bool          // rebooted while frozen: answers no client before it thaws
	rows      map[int64]time.Time
	beats     map[dr.Region]failover.Beat
	beatAt    map[dr.Region]time.Time
	openedAt  time.Time
	watchdog  time.Duration
	installed bool // the heartbeat table exists
	lastLag   *health.Lag
}

var (
	_ failover.Beater        = (*Database)(nil)
	_ failover.Fencer        = (*Database)(nil)
	_ failover.Watchdog      = (*Database)(nil)
	_ failover.ReplicaReader = (*Database)(nil)
)

// Region returns the Region of the database.
func (db *Database) Region() dr.Region { return db.region }

// serves reports whether the server is there. The lock must be held.
func (db *Database) serves() bool { return !db.down && db.thaw == nil }

// writable reports why the server refuses writes, if it does.
func (db *Database) writable() error {
	m := db.pair.moving
	if db.secondary {
		return fmt.Errorf("drtest: %s: %w: %w", db.region, failover.ErrNotWriter, failover.ErrReadOnly)
	}
	if db.readOnly || m != nil && m.graceful && db.pair.source == db.region {
		return fmt.Errorf("drtest: %s: %w", db.region, failover.ErrReadOnly)
	}
	return nil
}

// seen returns the newest epoch that the database has seen.
func (db *Database) seen() dr.Epoch {
	var e dr.Epoch
	for row, b := range db.beats {
		if !strings.HasSuffix(row.String(), failover.PromiseRow) {
			e = max(e, b.Epoch)
		}
	}
	return e
}

func (db *Database) apply(rec record) {
	if rec.install {
		db.installed = true
		return
	}
	if rec.beat != nil {
		// As in a table: a beat that was overtaken sets the row back.
		db.beats[rec.beat.Region], db.beatAt[rec.beat.Region] = *rec.beat, rec.committed
		return
	}
	db.rows[rec.id] = rec.committed
}

// commit applies a record here and queues it for the other Region.
func (db *Database) commit(rec record) {
	p := db.pair
	now := time.Now()
	rec.committed = now
	db.apply(rec)
	if p.source != db.region || !p.following {
		return
	}
	rec.arrives = now.Add(p.delay())
	if rec.arrives.Before(p.lastAt) {
		rec.arrives = p.lastAt
	}
	p.lastAt = rec.arrives
	p.log = append(p.log, rec)
}

// serve waits until the server would answer, and holds the lock if it does.
func (db *Database) serve(ctx context.Context) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		db.pair.mu.Lock()
		db.pair.advance(time.Now())
		if db.down {
			db.pair.mu.Unlock()
			return fmt.Errorf("drtest: %s: %w", db.region, ErrDown)
		}
		thaw := db.thaw
		if thaw == nil {
			return nil
		}
		db.pair.mu.Unlock()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-thaw:
		}
	}
}

// Write commits a row, as a client does.
func (db *Database) Write(ctx context.Context, id int64) error {
	if err := db.serve(ctx); err != nil {
		return err
	}
	defer db.pair.mu.Unlock()
	if err := db.writable(); err != nil {
		return err
	}
	db.commit(record{id: id})
	return nil
}

// Rows returns the ids of all rows, in order.
func (db *Database) Rows() []int64 {
	db.pair.mu.Lock()
	defer db.pair.mu.Unlock()
	db.pair.advance(time.Now())
	ids := make([]int64, 0, len(db.rows))
	for id := range db.rows {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// Probe asks whether a write would commit now, and leaves nothing behind.
func (db *Database) Probe(ctx context.Context) error {
	if err := db.serve(ctx); err != nil {
		return err
	}
	defer db.pair.mu.Unlock()
	return db.writable()
}

// Accepts reports whether a write would commit at this moment, past every network
// and without waiting: for assertions.
func (db *Database) Accepts() bool {
	db.pair.mu.Lock()
	defer db.pair.mu.Unlock()
	db.pair.advance(time.Now())
	return db.serves() && db.writable() == nil
}

// Answers reports whether the server is there at this moment, past every network and
// without waiting: for assertions.
func (db *Database) Answers() bool {
	db.pair.mu.Lock()
	defer db.pair.mu.Unlock()
	return db.serves()
}

// Row returns a heartbeat row as it is at this moment, past every network and without
// waiting: for assertions.
func (db *Database) Row(name dr.Region) failover.Beat {
	db.pair.mu.Lock()
	defer db.pair.mu.Unlock()
	db.pair.advance(time.Now())
	return db.beats[name]
}

// Beat commits a heartbeat row. The epoch of a row never goes backwards; a prober
// that has no epoch writes a row of its own.
func (db *Database) Beat(ctx context.Context, b failover.Beat) error {
	if err := db.serve(ctx); err != nil {
		return err
	}
	defer db.pair.mu.Unlock()
	if err := db.writable(); err != nil {
		return err
	}
	if !db.installed {
		return fmt.Errorf("drtest: beat of %s: there is no heartbeat table", b.Region)
	}
	if have := db.beats[b.Region].Epoch; have > b.Epoch {
		return fmt.Errorf("drtest: beat of %s with epoch %d: its row holds epoch %d", b.Region, b.Epoch, have)
	}
	db.commit(record{beat: &b})
	return nil
}

// Fence makes the database read-only.
func (db *Database) Fence(ctx context.Context, _ dr.Epoch) error {
	if err := db.serve(ctx); err != nil {
		return err
	}
	db.readOnly = true
	db.pair.mu.Unlock()
	return nil
}

// Open makes the writer accept writes, unless it has seen a newer epoch. A server that has
// not replicated its successor's epoch reports itself as the writer. One that was promoted
// before the installation had arrived is installed.
func (db *Database) Open(ctx context.Context, e dr.Epoch) error {
	if err := db.serve(ctx); err != nil {
		return err
	}
	defer db.pair.mu.Unlock()
	if db.secondary {
		return fmt.Errorf("drtest: open %s: %w", db.region, failover.ErrNotWriter)
	}
	if have := db.seen(); have > e {
		return fmt.Errorf("drtest: open %s with epoch %d: the database has seen epoch %d", db.region, e, have)
	}
	if !db.installed {
		db.commit(record{install: true})
	}
	db.readOnly, db.openedAt = false, time.Now()
	return nil
}

// Replicated returns the newest heartbeat of a Region that has arrived here.
func (db *Database) Replicated(ctx context.Context, from dr.Region) (failover.Beat, error) {
	if err := db.serve(ctx); err != nil {
		return failover.Beat{}, err
	}
	defer db.pair.mu.Unlock()
	return db.beats[from], nil
}

// Lag returns the delay of the newest record that has arrived here, or nil when
// none has.
func (db *Database) Lag(ctx context.Context) (*health.Lag, error) {
	if err := db.serve(ctx); err != nil {
		return nil, err
	}
	defer db.pair.mu.Unlock()
	if db.lastLag == nil {
		return nil, nil
	}
	return new(*db.lastLag), nil
}

// watchdogTick is how often a server looks at its heartbeat row: a MySQL event runs
// at most once a second.
const watchdogTick = time.Second

// InstallWatchdog implements failover.Watchdog: the server becomes read-only by
// itself when the heartbeat row of its own Region was not written for after.
func (db *Database) InstallWatchdog(ctx context.Context, after time.Duration) error {
	if err := db.serve(ctx); err != nil {
		return err
	}
	defer db.pair.mu.Unlock()
	if err := db.writable(); err != nil {
		return err
	}
	db.watchdog = after
	return nil
}

// CheckWatchdog implements failover.WatchdogKeeper.
func (db *Database) CheckWatchdog(ctx context.Context, after time.Duration) (bool, error) {
	if err := db.serve(ctx); err != nil {
		return false, err
	}
	defer db.pair.mu.Unlock()
	return db.watchdog == after, nil
}

// RemoveWatchdog implements failover.WatchdogKeeper.
func (db *Database) RemoveWatchdog(ctx context.Context) error {
	if err := db.serve(ctx); err != nil {
		return err
	}
	defer db.pair.mu.Unlock()
	db.watchdog = 0
	return nil
}

// Watched reports whether the server would fence itself if its heartbeat stopped.
func (db *Database) Watched() bool {
	db.pair.mu.Lock()
	defer db.pair.mu.Unlock()
	return db.watchdog > 0
}

// watch does what the watchdog would have done by now.
func (db *Database) watch(now time.Time) {
	if db.watchdog == 0 || !db.serves() {
		return
	}
	last := db.beatAt[db.region]
	if db.openedAt.After(last) {
		last = db.openedAt
	}
	due := last.Add(db.watchdog)
	if tick := due.Truncate(watchdogTick); tick.Before(due) {
		due = tick.Add(watchdogTick)
	}
	if !now.Before(due) {
		db.readOnly = true
	}
}

// Kill stops the server; connections are refused.
func (db *Database) Kill() {
	db.pair.mu.Lock()
	defer db.pair.mu.Unlock()
	db.pair.advance(time.Now())
	db.down, db.cut = true, false
	db.release()
}

// Start starts a killed server. It boots read-only, as every server does.
func (db *Database) Start() {
	db.pair.mu.Lock()
	defer db.pair.mu.Unlock()
	db.pair.advance(time.Now())
	if db.down {
		db.down, db.readOnly = false, true
	}
}

// Freeze stops the server in mid-flight: nothing answers until Thaw.
func (db *Database) Freeze() {
	db.pair.mu.Lock()
	defer db.pair.mu.Unlock()
	db.pair.advance(time.Now())
	if db.thaw == nil && !db.down {
		db.thaw = make(chan struct{})
	}
}

// Thaw lets a frozen server go on with what it was doing; one that was rebooted
// meanwhile comes back as a new process, read-only.
func (db *Database) Thaw() {
	db.pair.mu.Lock()
	defer db.pair.mu.Unlock()
	db.pair.advance(time.Now())
	db.release()
	if db.cut {
		db.cut, db.readOnly = false, true
	}
}

// Reboot cuts the server off at once and has it boot read-only; a frozen one comes
// back when it thaws.
func (db *Database) Reboot() {
	db.pair.mu.Lock()
	defer db.pair.mu.Unlock()
	db.pair.advance(time.Now())
	db.readOnly = true
	if db.thaw != nil {
		db.cut = true
	}
}

// release wakes those who wait for a thaw. The lock must be held.
func (db *Database) release() {
	if db.thaw != nil {
		close(db.thaw)
		db.thaw = nil
	}
}

// Role tells what the server takes itself for.
func (db *Database) Role(ctx context.Context) (failover.Role, error) {
	if err := db.serve(ctx); err != nil {
		return "", err
	}
	defer db.pair.mu.Unlock()
	if db.secondary {
		return failover.RoleSecondary, nil
	}
	return failover.RoleWriter, nil
}
