package boot

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/dynamo"
)

// Addresses is the address book of the members' databases; see dynamo.Store.
type Addresses interface {
	Announce(ctx context.Context, r dr.Region, place dynamo.Place) error
	Address(ctx context.Context, r dr.Region) (dynamo.Place, error)
}

// finder tells where a server is.
type finder interface {
	find(context.Context) (dynamo.Place, error)
	// missed is told that nothing answers there.
	missed()
}

// named is a place that the environment names: there is nowhere else to look.
type named dynamo.Place

func (n named) find(context.Context) (dynamo.Place, error) { return dynamo.Place(n), nil }
func (n named) missed()                                    {}

// onWriter leads to the cluster endpoint, also while it doesn't answer: a reader must not
// answer whether the writer commits.
type onWriter struct{ finder }

func (w onWriter) find(ctx context.Context) (dynamo.Place, error) {
	place, err := w.finder.find(ctx)
	place.Reader = ""
	return place, err
}

// lookAgain is the least time between two looks at a known address: a Region that
// doesn't answer is asked for every second.
const lookAgain = 5 * time.Second

// lookup finds a Region's address in the book when it is needed first, and keeps it for
// the process's life. When nothing answers there it looks again, in the background: what
// it knows must not wait for a table that may be slow in the very failure that matters.
type lookup struct {
	region dr.Region
	book   Addresses

	turn   chan struct{} // held by the goroutine that reads or looks; the others wait
	place  dynamo.Place  // zero when it is not known
	looked time.Time

	life  context.Context // ends the looks in the background
	end   context.CancelFunc
	looks sync.WaitGroup
}

func newLookup(r dr.Region, book Addresses) *lookup {
	l := &lookup{region: r, book: book, turn: make(chan struct{}, 1)}
	l.life, l.end = context.WithCancel(context.Background())
	return l
}

func (l *lookup) find(ctx context.Context) (dynamo.Place, error) {
	select {
	case <-ctx.Done():
		return dynamo.Place{}, fmt.Errorf("boot: wait for the address of %s: %w", l.region, ctx.Err())
	case l.turn <- struct{}{}:
	}
	defer func() { <-l.turn }()
	if l.place.Address != "" {
		return l.place, nil
	}
	found, err := l.look(ctx)
	if err != nil {
		return dynamo.Place{}, fmt.Errorf("boot: find the database of %s, which LIFEBOAT_DATABASES doesn't name: %w", l.region, err)
	}
	l.place, l.looked = found, time.Now()
	return found, nil
}

func (l *lookup) look(ctx context.Context) (dynamo.Place, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return l.book.Address(ctx, l.region)
}

func (l *lookup) missed() {
	select {
	case l.turn <- struct{}{}:
	default:
		return // another goroutine is looking
	}
	defer func() { <-l.turn }()
	if l.place.Address == "" || time.Since(l.looked) < lookAgain || l.life.Err() != nil {
		return
	}
	l.looked = time.Now()
	l.looks.Go(func() {
		found, err := l.look(l.life)
		if err != nil {
			return // what was found may be right still; the lease's calls report the table
		}
		l.turn <- struct{}{}
		l.place = found
		<-l.turn
	})
}

// Close ends what looks in the background, and waits for it.
func (l *lookup) Close() error {
	l.turn <- struct{}{} // nothing begins to look afterwards
	l.end()
	<-l.turn
	l.looks.Wait()
	return nil
}

// The times of an announcement: when it is made first, so that it is in no probe's way;
// how long it may take; and when it is made again after a failure.
const (
	announceAfter = time.Second
	announceTime  = 3 * time.Second
	announceAgain = 15 * time.Second
)

// Announcer writes to the book where the local Region's database is, once in a process's life.
type Announcer struct {
	region dr.Region
	place  dynamo.Place
	book   Addresses
	trace  *dr.Trace
	once   chan struct{} // empty once it has been told, and while it is
}

// NewAnnouncer returns what announces where a Region's database is.
func NewAnnouncer(r dr.Region, place dynamo.Place, book Addresses, trace *dr.Trace) *Announcer {
	a := &Announcer{region: r, place: place, book: book, trace: trace, once: make(chan struct{}, 1)}
	a.once <- struct{}{}
	return a
}

// Run announces until it has succeeded or ctx ends. What fails is a problem and is tried
// again.
func (a *Announcer) Run(ctx context.Context) {
	select {
	case <-a.once:
	default:
		return
	}
	for wait := announceAfter; ; wait = announceAgain {
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			a.once <- struct{}{}
			return
		case <-timer.C:
		}
		call, cancel := context.WithTimeout(ctx, announceTime)
		err := a.book.Announce(call, a.region, a.place)
		cancel()
		if err == nil {
			return
		}
		if ctx.Err() == nil {
			a.trace.OnProblem(dr.Problem{At: time.Now(), Region: a.region, Op: "announce the database's address", Err: err})
		}
	}
}
