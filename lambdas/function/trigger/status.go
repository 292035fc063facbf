package trigger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/event"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

const (
	// statusWithin bounds a status: what has not answered by then is unknown.
	statusWithin = 3 * time.Second
	// apart is the time between the two looks at what says that it lives by changing.
	apart = 1750 * time.Millisecond
)

// known is what the parts have told.
type known struct {
	mu      sync.Mutex
	unknown []string

	lease   *failover.Lease
	none    bool // the store says that no lease was ever taken
	cluster *failover.Cluster
	ready   *failover.Readiness // the local Region's member
	entry   *failover.Entry
	recent  int
	first   map[dr.Region]uint64 // numbers of the reports at the first look
	reports []failover.Report
	driver  [2]Mark
}

// status asks everything at once, changes nothing, and returns when all has answered or
// time is up.
func (h *Handler) status(ctx context.Context) event.Response {
	call, cancel := context.WithTimeout(ctx, statusWithin)
	defer cancel()
	k, a := &known{first: make(map[dr.Region]uint64)}, h.cfg.Agent
	var wg sync.WaitGroup
	ask := func(part string, do func() (keep func(), err error)) {
		wg.Go(func() {
			keep, err := do()
			k.mu.Lock()
			defer k.mu.Unlock()
			if err != nil {
				k.unknown = append(k.unknown, part+": "+brief(call, err))
				return
			}
			keep()
		})
	}
	ask("the lease (lease store)", func() (func(), error) {
		l, err := a.Leaser.ReadLease(call)
		if errors.Is(err, failover.ErrNoLease) {
			return func() { k.none = true }, nil
		}
		return func() { k.lease = &l }, err
	})
	ask("the writer by control plane (RDS)", func() (func(), error) {
		c, err := a.Controller.Promoter.Describe(call)
		return func() { k.cluster = &c }, err
	})
	ask("the local server and whether it can be promoted (preflight)", func() (func(), error) {
		r, err := a.Controller.Preflight.Preflight(call)
		return func() {
			k.ready = &r
			if len(r.Unknown) > 0 {
				k.unknown = append(k.unknown, "of the local server and whether it can be promoted (preflight): "+brief(call, errors.New(strings.Join(r.Unknown, "; "))))
			}
		}, err
	})
	ask("the newest execution (journal)", func() (func(), error) {
		e, err := a.Controller.Journal.Latest(call)
		if errors.Is(err, failover.ErrNoEntry) {
			return func() {}, nil
		}
		return func() { k.entry = &e }, err
	})
	ask("the number of recent failovers (journal)", func() (func(), error) {
		n, err := a.Controller.Journal.Settled(call, time.Now().Add(-a.Policy.FailoverWindow))
		return func() { k.recent = n }, err
	})
	ask("the monitors' reports (lease store)", func() (func(), error) {
		before, now, err := twice(call, a.Reports.Reports)
		return func() {
			for _, r := range before {
				k.first[r.Region] = r.Seq
			}
			k.reports = counted(now, a.Topology)
		}, err
	})
	if h.cfg.Marks != nil {
		ask("whether an invocation drives (lease store)", func() (func(), error) {
			before, now, err := twice(call, h.cfg.Marks.ReadMark)
			return func() { k.driver = [2]Mark{before, now} }, err
		})
	}
	wg.Wait()
	slices.Sort(k.unknown)
	return h.tell(k, time.Now())
}

// twice looks two times, some time apart: what has changed in between lives.
func twice[T any](ctx context.Context, look func(context.Context) (T, error)) (before, now T, err error) {
	if before, err = look(ctx); err != nil {
		return before, now, err
	}
	if err = pause(ctx, apart); err != nil {
		return before, now, err
	}
	now, err = look(ctx)
	return before, now, err
}

// brief is an error on one line of a status.
func brief(ctx context.Context, err error) string {
	const most = 300
	s := event.Plain(err.Error())
	if ctx.Err() != nil {
		s = fmt.Sprintf("no answer within %v: %s", statusWithin, s)
	}
	if len(s) > most {
		s = event.Plain(s[:most]) + "..."
	}
	return s
}
