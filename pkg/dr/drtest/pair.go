package drtest

import (
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// ErrDown is returned by a database whose server was killed: its host answers and
// refuses the connection.
var ErrDown = errors.New("drtest: connection refused")

// ErrBusy is returned when the writer is already being moved, as AWS refuses with
// InvalidGlobalClusterStateFault.
var ErrBusy = errors.New("drtest: the writer is being moved")

// Pair is two databases of which one follows the other.
type Pair struct {
	delay func() time.Duration

	mu         sync.Mutex
	dbs        map[dr.Region]*Database
	source     dr.Region // whose log is shipped
	following  bool      // the other one applies it
	up         bool      // the path between them
	log        []record  // committed on the source, not yet arrived, oldest first
	lastAt     time.Time // arrival of the newest record: a log keeps its order
	bootClosed bool      // a promoted server comes up read-only
	moving     *move
	lost       int
}

// move is a promotion that takes time. It ends by itself: a call that reads the pair at or
// after that time finds it done.
type move struct {
	to       dr.Region
	due      time.Time
	graceful bool
}

type record struct {
	committed, arrives time.Time
	id                 int64 // a row, or
	beat               *failover.Beat
	install            bool // the heartbeat table was made
}

// NewPair returns two databases: writer accepts writes, the other one follows with
// a delay drawn for every record.
func NewPair(writer, secondary dr.Region, delay func() time.Duration) *Pair {
	p := &Pair{delay: delay, dbs: make(map[dr.Region]*Database), source: writer, following: true, up: true}
	for _, r := range []dr.Region{writer, secondary} {
		p.dbs[r] = &Database{
			region: r, pair: p, secondary: r != writer, rows: make(map[int64]time.Time),
			beats: make(map[dr.Region]failover.Beat), beatAt: make(map[dr.Region]time.Time), openedAt: time.Now(), installed: true,
		}
	}
	return p
}

// DB returns the database of a Region.
func (p *Pair) DB(r dr.Region) *Database { return p.dbs[r] }

// SetBoot says whether a promoted server comes up read-only, as one does whose
// parameters say so and that restarts on promotion. By default it accepts writes.
func (p *Pair) SetBoot(readOnly bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bootClosed = readOnly
}

// SetLink opens or cuts the path of the log. Records whose time comes while it is
// cut arrive after it is mended.
func (p *Pair) SetLink(up bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.advance(now)
	p.up = up
	if up {
		for i := range p.log {
			if p.log[i].arrives.Before(now) {
				p.log[i].arrives = now
			}
		}
	}
}

// Promote makes a Region's database the writer with what has arrived; the rest of
// the log is lost. It returns how many records that were. The old writer is not
// told: it takes itself for the writer until it rejoins.
func (p *Pair) Promote(to dr.Region) (lost int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.advance(time.Now())
	if p.moving != nil {
		return 0, fmt.Errorf("drtest: promote %s: %w", to, ErrBusy)
	}
	before := p.lost
	if err := p.promote(to); err != nil {
		return 0, err
	}
	return p.lost - before, nil
}

func (p *Pair) promote(to dr.Region) error {
	db := p.dbs[to]
	if db.down || db.thaw != nil {
		return fmt.Errorf("drtest: promote %s: %w", to, ErrDown)
	}
	p.lost += len(p.log)
	p.log, p.following, p.source = nil, false, to
	db.secondary, db.readOnly, db.openedAt = false, p.bootClosed, time.Now()
	return nil
}

// Move begins a promotion that ends after d: without loss when graceful, in which
// case the old writer refuses writes meanwhile and follows afterwards. A move whose
// target, or whose old writer when graceful, is not there at the end is dropped.
func (p *Pair) Move(to dr.Region, d time.Duration, graceful bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.advance(now)
	switch {
	case p.moving != nil:
		return fmt.Errorf("drtest: move to %s: %w", to, ErrBusy)
	case p.dbs[to] == nil || p.source == to:
		return fmt.Errorf("drtest: move to %s: it is not a secondary", to)
	case !p.following || graceful && !p.up:
		return fmt.Errorf("drtest: move to %s: it does not follow the writer", to)
	}
	p.moving = &move{to, now.Add(d), graceful}
	return nil
}

// Moving returns the writer, and the Region that it is being moved to, if any.
func (p *Pair) Moving() (writer, to dr.Region) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.advance(time.Now())
	if p.moving != nil {
		to = p.moving.to
	}
	return p.source, to
}

// Lost returns how many records promotions have lost.
func (p *Pair) Lost() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.advance(time.Now())
	return p.lost
}

// Rejoin rebuilds the other database as a secondary of the writer: its own rows
// are gone, and it starts read-only.
func (p *Pair) Rejoin(old dr.Region) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.advance(time.Now())
	db, writer := p.dbs[old], p.dbs[p.source]
	switch {
	case db == writer:
		return fmt.Errorf("drtest: rejoin %s: it is the writer", old)
	case !db.serves() || !writer.serves() || !p.up:
		return fmt.Errorf("drtest: rejoin %s: %w", old, ErrDown)
	}
	db.rows, db.beats, db.beatAt = maps.Clone(writer.rows), maps.Clone(writer.beats), maps.Clone(writer.beatAt)
	db.secondary, db.readOnly, db.cut, db.lastLag, db.watchdog, db.installed = true, true, false, nil, 0, writer.installed
	p.log, p.following = nil, true
	return nil
}

// Following reports whether the other database follows the writer.
func (p *Pair) Following() (writer dr.Region, following bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.advance(time.Now())
	return p.source, p.following
}

// advance brings the pair to an instant: moves that are due are done, records that
// are due have arrived. The lock must be held.
func (p *Pair) advance(now time.Time) {
	if m := p.moving; m != nil && !m.due.After(now) {
		p.ship(m.due)
		p.moving = nil
		p.finish(m)
	}
	p.ship(now)
	for _, db := range p.dbs {
		db.watch(now)
	}
}

func (p *Pair) finish(m *move) {
	if !m.graceful {
		_ = p.promote(m.to) // of a target that is not there: the writer stays
		return
	}
	old, target := p.dbs[p.source], p.dbs[m.to]
	if !p.up || !p.following || !old.serves() || !target.serves() {
		return
	}
	for _, rec := range p.log { // nothing was committed since the move began
		target.apply(rec)
	}
	p.log, p.source = nil, m.to
	old.secondary, old.readOnly = true, true
	target.secondary, target.readOnly, target.openedAt = false, p.bootClosed, time.Now()
}

// ship applies every record whose time has come.
func (p *Pair) ship(now time.Time) {
	if !p.following || !p.up {
		return
	}
	var to *Database
	for r, db := range p.dbs {
		if r != p.source {
			to = db
		}
	}
	if !to.serves() {
		return
	}
	n := 0
	for ; n < len(p.log) && !p.log[n].arrives.After(now); n++ {
		rec := p.log[n]
		to.apply(rec)
		to.lastLag = &health.Lag{Value: rec.arrives.Sub(rec.committed), At: rec.arrives}
	}
	p.log = p.log[n:]
}
