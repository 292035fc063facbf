package failover_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// how is what happens to one call.
type how string

// The ways in which a call may go wrong. The last three end the process that calls.
const (
	refused     how = "refused"       // an error, and nothing was done
	unheard     how = "unheard"       // done, and the answer is an error
	hangs       how = "hangs"         // not done, and no answer before the deadline
	hangsDone   how = "hangs-done"    // done, and no answer before the deadline
	throttled   how = "throttled"     // refused, like every call to this port for two seconds
	killed      how = "killed"        // the process dies before the call is carried out
	killedDone  how = "killed-done"   // it dies after that, before it hears the answer
	killedHeard how = "killed-heard"  // it dies when it has heard the answer
	throttling      = 2 * time.Second // how long a burst of throttling lasts
)

var ways = []how{refused, unheard, hangs, hangsDone, throttled, killed, killedDone, killedHeard}

func (h how) kills() bool { return strings.HasPrefix(string(h), "killed") }

// port names a process and what it calls, as in agent/journal.append.
type port string

// point is the n-th call, from the fault on, of a port, and what happens to it. The zero
// point is nowhere.
type point struct {
	port port
	n    int
	how  how
}

func (p point) String() string { return fmt.Sprintf("%s/%d/%s", p.port, p.n, p.how) }

func parsePoint(s string) (point, error) {
	parts := strings.Split(s, "/")
	if len(parts) != 4 || !slices.Contains(ways, how(parts[3])) {
		return point{}, fmt.Errorf("point %q: write process/call/n/way, the way one of %v", s, ways)
	}
	n, err := strconv.Atoi(parts[2])
	return point{port(parts[0] + "/" + parts[1]), n, how(parts[3])}, err
}

// wires are the connections of one Region's processes. They count calls by port, and let
// the call at the point go wrong.
type wires struct {
	at    point
	crash chan string // the process that is to be killed

	mu     sync.Mutex
	counts map[port]int // nil until the fault
	hit    bool
	until  time.Time     // throttled so far
	waits  time.Duration // the deadline of the call at the point
	loose  []port        // called without a deadline
}

func newWires(at point) *wires { return &wires{at: at, crash: make(chan string, 1)} }

// begin counts from here on.
func (w *wires) begin() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.counts = make(map[port]int)
}

var errThrottled = errors.New("rate exceeded")

// arrive counts a call and returns what happens to it; nothing mostly.
func (w *wires) arrive(ctx context.Context, p port) how {
	w.mu.Lock()
	defer w.mu.Unlock()
	deadline, bounded := ctx.Deadline()
	if !bounded && !slices.Contains(w.loose, p) {
		w.loose = append(w.loose, p)
	}
	if w.counts == nil {
		return ""
	}
	w.counts[p]++
	switch {
	case p == w.at.port && w.counts[p] == w.at.n:
		w.hit = true
		w.waits = time.Until(deadline)
		if w.at.how == throttled {
			w.until = time.Now().Add(throttling)
		}
		return w.at.how
	case p == w.at.port && time.Now().Before(w.until):
		return throttled
	}
	return ""
}

// carry lets a call pass, or go wrong.
func (w *wires) carry(ctx context.Context, process string, op drtest.Op, act func() error) error {
	way := w.arrive(ctx, port(process+"/"+string(op)))
	switch way {
	case "":
		return act()
	case refused:
		return errRefused
	case throttled:
		return errThrottled
	case unheard:
		return errors.Join(errRefused, act())
	case hangsDone, killedDone, killedHeard:
		if err := act(); err != nil && way != killedHeard {
			return err
		}
	}
	if way.kills() {
		w.crash <- process
	}
	if way == killedHeard {
		return nil
	}
	<-ctx.Done()
	return ctx.Err()
}

// through returns an agent whose calls go through the wires.
func (w *wires) through(process string, cfg failover.AgentConfig) failover.AgentConfig {
	store := &storeWire{cfg.Leaser.(*drtest.StoreView), w, process}
	cfg.Leaser, cfg.Heartbeats = store, store
	if cfg.Guard != nil {
		g := *cfg.Guard
		db := &dbWire{g.Beater.(*drtest.Conn), w, process + ".guard"}
		g.Beater, g.Fencer = db, db
		cfg.Guard = &g
	}
	if cfg.Journal != nil {
		cfg.Journal = store
	}
	if cfg.Controller != nil {
		cfg.Controller = new(w.controller(process, *cfg.Controller))
	}
	return cfg
}

func (w *wires) controller(process string, cfg failover.ControllerConfig) failover.ControllerConfig {
	store := &storeWire{cfg.Leaser.(*drtest.StoreView), w, process}
	cfg.Leaser, cfg.Heartbeats, cfg.Journal, cfg.Acknowledger = store, store, store, store
	cfg.Promoter = &controlWire{cfg.Promoter, w, process}
	cfg.Beater = &dbWire{cfg.Beater.(*drtest.Conn), w, process}
	cfg.Router = &routerWire{cfg.Router, w, process}
	cfg.Notifier = &notifierWire{cfg.Notifier, w, process}
	return cfg
}

type storeWire struct {
	*drtest.StoreView
	w       *wires
	process string
}

// answered brings an answer along a call, unless it is lost on the way.
func answered[T any](ctx context.Context, w *wires, process string, op drtest.Op, ask func() (T, error)) (T, error) {
	var got, none T
	err := w.carry(ctx, process, op, func() (err error) { got, err = ask(); return err })
	if err != nil {
		return none, err
	}
	return got, nil
}

func (s *storeWire) ReadLease(ctx context.Context) (failover.Lease, error) {
	return answered(ctx, s.w, s.process, drtest.OpReadLease, func() (failover.Lease, error) { return s.StoreView.ReadLease(ctx) })
}

func (s *storeWire) RenewLease(ctx context.Context, held failover.Lease) (failover.Lease, error) {
	return answered(ctx, s.w, s.process, drtest.OpRenewLease, func() (failover.Lease, error) { return s.StoreView.RenewLease(ctx, held) })
}

func (s *storeWire) TakeLease(ctx context.Context, seen failover.Lease, c failover.Claim) (failover.Lease, error) {
	return answered(ctx, s.w, s.process, drtest.OpTakeLease, func() (failover.Lease, error) { return s.StoreView.TakeLease(ctx, seen, c) })
}

func (s *storeWire) Publish(ctx context.Context, h failover.Heartbeat) error {
	return s.w.carry(ctx, s.process, drtest.OpPublish, func() error { return s.StoreView.Publish(ctx, h) })
}

func (s *storeWire) Heartbeats(ctx context.Context) ([]failover.Heartbeat, error) {
	return answered(ctx, s.w, s.process, drtest.OpHeartbeats, func() ([]failover.Heartbeat, error) { return s.StoreView.Heartbeats(ctx) })
}

func (s *storeWire) Append(ctx context.Context, e failover.Entry) error {
	return s.w.carry(ctx, s.process, drtest.OpAppend, func() error { return s.StoreView.Append(ctx, e) })
}

func (s *storeWire) Latest(ctx context.Context) (failover.Entry, error) {
	return answered(ctx, s.w, s.process, drtest.OpLatest, func() (failover.Entry, error) { return s.StoreView.Latest(ctx) })
}

func (s *storeWire) Settled(ctx context.Context, since time.Time) (int, error) {
	return answered(ctx, s.w, s.process, drtest.OpSettled, func() (int, error) { return s.StoreView.Settled(ctx, since) })
}

func (s *storeWire) Acknowledgement(ctx context.Context, e dr.Epoch) (failover.Acknowledgement, error) {
	return answered(ctx, s.w, s.process, drtest.OpAcknowledged, func() (failover.Acknowledgement, error) { return s.StoreView.Acknowledgement(ctx, e) })
}

type controlWire struct {
	failover.Promoter
	w       *wires
	process string
}

func (c *controlWire) Describe(ctx context.Context) (failover.Cluster, error) {
	return answered(ctx, c.w, c.process, drtest.OpDescribe, func() (failover.Cluster, error) { return c.Promoter.Describe(ctx) })
}

func (c *controlWire) Failover(ctx context.Context, to dr.Region) error {
	return c.w.carry(ctx, c.process, drtest.OpFailover, func() error { return c.Promoter.Failover(ctx, to) })
}

func (c *controlWire) Switchover(ctx context.Context, to dr.Region) error {
	return c.w.carry(ctx, c.process, drtest.OpSwitchover, func() error { return c.Promoter.Switchover(ctx, to) })
}

// dbWire keeps what else a connection can do.
type dbWire struct {
	*drtest.Conn
	w       *wires
	process string
}

func (d *dbWire) Beat(ctx context.Context, b failover.Beat) error {
	return d.w.carry(ctx, d.process, drtest.OpBeat, func() error { return d.Conn.Beat(ctx, b) })
}

func (d *dbWire) Fence(ctx context.Context, e dr.Epoch) error {
	return d.w.carry(ctx, d.process, drtest.OpFence, func() error { return d.Conn.Fence(ctx, e) })
}

func (d *dbWire) Open(ctx context.Context, e dr.Epoch) error {
	return d.w.carry(ctx, d.process, drtest.OpOpen, func() error { return d.Conn.Open(ctx, e) })
}

type routerWire struct {
	failover.Router
	w       *wires
	process string
}

func (r *routerWire) Redirect(ctx context.Context, to dr.Region, e dr.Epoch) error {
	return r.w.carry(ctx, r.process, drtest.OpRedirect, func() error { return r.Router.Redirect(ctx, to, e) })
}

func (r *routerWire) Reach(ctx context.Context, e dr.Epoch) (dr.Region, error) {
	return answered(ctx, r.w, r.process, drtest.OpReach, func() (dr.Region, error) { return r.Router.Reach(ctx, e) })
}

type notifierWire struct {
	failover.Notifier
	w       *wires
	process string
}

func (n *notifierWire) Notify(ctx context.Context, m failover.Message) error {
	return n.w.carry(ctx, n.process, drtest.OpNotify, func() error { return n.Notifier.Notify(ctx, m) })
}
