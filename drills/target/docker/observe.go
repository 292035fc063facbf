package docker

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/measure"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/clients"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/functions"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/mysqld"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

const (
	// watchInterval is the resolution of what watches see.
	watchInterval = 50 * time.Millisecond
	// writeTimeout is for a write inside one Region, answerTimeout for a fresh
	// connection across the longest link, which takes five round trips.
	writeTimeout  = 300 * time.Millisecond
	answerTimeout = 500 * time.Millisecond

	writable = "writable"
)

// watchWritable looks, from inside the Region that would be promoted, when its
// server accepts its first write.
func (w *world) watchWritable(ctx context.Context) error {
	r := w.setup.Topology.Peer(w.setup.Writer)
	return w.watch(ctx, r, clients.Watch{
		Name: writable, Kind: clients.Writes, Address: w.database(r).Endpoint().String(), Timeout: writeTimeout,
	})
}

func (w *world) watch(ctx context.Context, from dr.Region, spec clients.Watch) error {
	spec.Origin, spec.Interval = w.origin, watchInterval
	spec.User, spec.Password = mysqld.App.User, mysqld.App.Password
	return w.call(ctx, clientsName(from), "/watch/start", nil, spec, nil)
}

func (w *world) turns(ctx context.Context, from dr.Region, name string) ([]clients.Turn, error) {
	n, err := w.fleet.Node(clientsName(from))
	if err != nil {
		return nil, err
	}
	var all clients.Turns
	if err := n.Get(ctx, "/watch/turns", &all); err != nil {
		return nil, err
	}
	return all[name], nil
}

// Marks implements drill.Observer.
func (w *world) Marks(ctx context.Context) ([]measure.Mark, error) {
	err := errors.Join(w.each(ctx, w.regions(), w.readMarks), w.readWritable(ctx))
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.marks), nil
}

// readMarks reads what a Region's functions have made marks of since the last time.
func (w *world) readMarks(ctx context.Context, r dr.Region) error {
	n, err := w.fleet.Node(lambdaName(r))
	if err != nil {
		return err
	}
	w.mu.Lock()
	since := w.seen[r]
	w.mu.Unlock()
	var news functions.Marks
	if err := n.Get(ctx, "/lambda/marks?since="+strconv.Itoa(since), &news); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.seen[r] == since { // no other call has read the same ones meanwhile
		w.marks, w.seen[r] = append(w.marks, news.Marks...), news.Next
	}
	return nil
}

// readWritable marks the first write that the promoted server has accepted.
func (w *world) readWritable(ctx context.Context) error {
	r := w.setup.Topology.Peer(w.setup.Writer)
	turns, err := w.turns(ctx, r, writable)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, t := range turns {
		if t.Outcome == ProbeOK && !w.opened {
			w.opened = true
			w.marks = append(w.marks, measure.Mark{
				At: t.Told, Source: "probe " + r.String(), Name: measure.MarkWritable, Region: r, Detail: "a write committed on its server",
			})
		}
	}
	return nil
}

// pause waits a little, or returns the error of a context that has ended.
func pause(ctx context.Context) error { return pauseFor(ctx, 20*time.Millisecond) }

func pauseFor(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
