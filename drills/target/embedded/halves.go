package embedded

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync/atomic"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/lifeboat-dr/lifeboat/drills/cloud"
	"github.com/lifeboat-dr/lifeboat/drills/fault"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// half is a half-failure that is on. It is its own identity: the same fault may be on
// twice.
type half struct {
	fault.Fault
	shown atomic.Int64 // the world's clock when it first did something, plus one; zero before
	done  chan struct{}
}

// halves returns the half-failures that are on. Calls read them without a lock.
func (w *world) halves() []*half {
	if p := w.half.Load(); p != nil {
		return *p
	}
	return nil
}

// halve switches a half-failure on, until off is called.
func (w *world) halve(f fault.Fault) (h *half, off func()) {
	h = &half{Fault: f, done: make(chan struct{})}
	change := func(edit func([]*half) []*half) {
		w.mu.Lock()
		defer w.mu.Unlock()
		next := edit(slices.Clone(w.halves()))
		if len(next) == 0 {
			w.half.Store(nil)
			return
		}
		w.half.Store(&next)
	}
	change(func(all []*half) []*half { return append(all, h) })
	return h, func() {
		close(h.done)
		change(func(all []*half) []*half { return slices.DeleteFunc(all, func(g *half) bool { return g == h }) })
		w.mu.Lock()
		defer w.mu.Unlock()
		w.shown[f] = h.shown.Load() // the one that asks may come after the heal
	}
}

// shows notes that a half-failure has done something.
func (w *world) shows(h *half) { h.shown.CompareAndSwap(0, int64(w.Clock())+1) }

// depends returns the faults of a service as a Region sees it.
func (w *world) depends(r dr.Region, s ...fault.Service) []*half {
	var out []*half
	for _, h := range w.halves() {
		if h.Kind == fault.Dependency && (h.Region == r || h.Region == fault.Everywhere) && slices.Contains(s, h.Service) {
			out = append(out, h)
		}
	}
	return out
}

// trouble is a call to a service that the cloud does not emulate: it returns what becomes of
// it, nil where it goes on. acts reports that it is carried out and never answered.
func (w *world) trouble(ctx context.Context, faults []*half, refused error) (acts bool, err error) {
	for _, h := range faults {
		w.shows(h)
		switch h.How {
		case fault.Refuse, fault.Throttle, fault.Deny:
			return false, refused
		case fault.Hang:
			<-ctx.Done()
			return false, ctx.Err()
		case fault.Slow:
			if err := pause(ctx, h.Duration); err != nil {
				return false, err
			}
		case fault.Lose, fault.LoseActs:
			acts = true
		}
	}
	return acts, nil
}

// emulated are the services that the emulated cloud breaks itself.
var emulated = map[fault.Service]cloud.Service{
	fault.DynamoDB: cloud.DynamoDB, fault.RDS: cloud.RDS, fault.SNS: cloud.SNS, fault.CloudWatch: cloud.CloudWatch,
}

// acting are the operations that change something.
var acting = map[fault.Service][]string{
	fault.DynamoDB:   {"PutItem", "UpdateItem"},
	fault.RDS:        {"FailoverGlobalCluster", "SwitchoverGlobalCluster", "RebootDBInstance"},
	fault.SNS:        {"Publish"},
	fault.CloudWatch: {"PutMetricData"},
}

// dependency breaks the calls to a service of a Region.
func (w *world) dependency(f fault.Fault) fault.Heal {
	_, off := w.halve(f)
	name, operation := f.Service.Split()
	service, ok := emulated[name]
	if !ok { // asked where the call is made
		return undo(off)
	}
	r := f.Region
	if r == fault.Everywhere {
		r = ""
	}
	if operation == "" {
		operation = "*"
	}
	all := cloud.On(r, service, operation)
	var faults []cloud.Fault
	switch f.How {
	case fault.Refuse:
		faults = append(faults, all.Fail(503))
	case fault.Hang:
		faults = append(faults, all.Hang())
	case fault.Slow:
		faults = append(faults, all.Delay(f.Duration))
	case fault.Throttle:
		faults = append(faults, all.Throttle())
	case fault.Deny:
		faults = append(faults, all.Deny())
	case fault.Stale:
		faults = append(faults, all.Stale(f.Duration))
	case fault.Lose:
		faults = append(faults, all.Lose())
	case fault.LoseActs:
		for _, op := range acting[name] {
			faults = append(faults, cloud.On(r, service, op).Lose())
		}
	}
	return w.clouded(faults, off)
}

// clouded switches faults of the emulated cloud on until the heal.
func (w *world) clouded(faults []cloud.Fault, off func()) fault.Heal {
	var clear []func()
	for _, f := range faults {
		clear = append(clear, w.cloud.SetFault(f))
	}
	return undo(func() {
		off()
		for _, c := range clear {
			c()
		}
	})
}

// of reports whether a call is one of the service, and of the operation, of a fault.
func (h *half) of(e cloud.Exchange) bool {
	name, operation := h.Service.Split()
	return emulated[name] == e.Service && (operation == "" || operation == e.Operation)
}

// observed sees every call to the emulated cloud, and what faults did to it.
func (w *world) observed(e cloud.Exchange) {
	for _, h := range w.halves() {
		switch {
		case h.Kind == fault.Dependency && h.of(e) && (h.Region == e.To || h.Region == fault.Everywhere):
			refused := e.Err != nil || e.Status >= 400
			if h.How == fault.Slow && e.Took >= h.Duration || h.How == fault.Stale || refused {
				w.shows(h)
			}
		case h.Kind == fault.Promotion && h.How != fault.Endless && e.Service == cloud.RDS && e.To == h.Region && e.Operation == "FailoverGlobalCluster" && e.Status >= 400:
			w.shows(h)
		}
	}
	if w.cfg.Observe != nil {
		w.cfg.Observe(e)
	}
}

// promotion keeps the control plane from promoting a Region's member.
func (w *world) promotion(f fault.Fault) fault.Heal {
	h, off := w.halve(f)
	switch f.How {
	case fault.Refuse:
		const code = "InvalidDBClusterStateFault"
		return w.clouded([]cloud.Fault{
			cloud.On(f.Region, cloud.RDS, "FailoverGlobalCluster").Reject(code),
			cloud.On(w.setup.Topology.Peer(f.Region), cloud.RDS, "SwitchoverGlobalCluster").Reject(code),
		}, off)
	case fault.Headless:
		w.cloud.SetHeadless(f.Region, true)
		w.shows(h)
		return undo(func() { off(); w.cloud.SetHeadless(f.Region, false) })
	case fault.Resync:
		w.cloud.SetResync(f.Region, true)
		w.shows(h)
		return undo(func() { off(); w.cloud.SetResync(f.Region, false) })
	}
	return undo(off) // Endless: the servers ask
}

// endless holds a promotion up while a fault says so.
func (w *world) endless(ctx context.Context, target dr.Region) error {
	for _, h := range w.halves() {
		if h.Kind != fault.Promotion || h.How != fault.Endless || h.Region != target {
			continue
		}
		w.shows(h)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-h.done:
		}
	}
	return nil
}

// database has a Region's server work by half.
func (w *world) database(f fault.Fault) fault.Heal {
	db := w.pair.DB(f.Region)
	switch f.How {
	case fault.ReadOnly:
		_ = db.Fence(w.life, 0) // of a server that isn't there: nothing to make read-only
		return undo(func() {})
	case fault.Restart:
		db.Kill()
		back := fault.Once(func(context.Context) error { db.Start(); return nil })
		w.tasks.Go(func() {
			if pause(w.life, f.Duration) == nil {
				_ = back(w.life)
			}
		})
		return back
	}
	_, off := w.halve(f)
	return undo(off)
}

// suffer adds what a half-broken server does to a call that reaches it.
func (w *world) suffer(c drtest.Call, out drtest.Fault) drtest.Fault {
	if w.third.away.Load() {
		switch c.Op {
		case drtest.OpWrite, drtest.OpProbe, drtest.OpBeat, drtest.OpWatchdog:
			out.Err = failover.ErrReadOnly
		case drtest.OpOpen:
			out.Err = failover.ErrNotWriter
		}
	}
	for _, h := range w.halves() {
		if h.Kind != fault.Database || h.Region != c.To || !w.pair.DB(c.To).Answers() {
			continue
		}
		commits := c.Op == drtest.OpWrite || c.Op == drtest.OpProbe || c.Op == drtest.OpBeat
		account := c.Op == drtest.OpProbe || c.Op == drtest.OpBeat || c.Op == drtest.OpLag || c.Op == drtest.OpReplicated || c.Op == drtest.OpNewest
		switch n := h.How.MySQLError(); {
		case h.How == fault.FullForFunctions && c.Op != drtest.OpWrite:
			out.Err = tooMany
		case h.How == fault.Denied && account:
			out.Err = &mysql.MySQLError{Number: 1045, Message: "Access denied for user 'lifeboat'"}
		case !commits || !w.pair.DB(c.To).Accepts():
			continue
		case h.How == fault.CommitsSlow:
			out.Delay += h.Duration
		case h.How == fault.CommitsHang:
			out.Hang = true
		case n != 0:
			out.Err = &mysql.MySQLError{Number: n, Message: "the commit failed"}
		default:
			continue
		}
		w.shows(h)
	}
	return out
}

var tooMany = &mysql.MySQLError{Number: 1040, Message: "Too many connections"}

// account is who logs in to a server.
type account int

// The accounts.
const (
	heartbeats account = iota // the functions'
	admin                     // the functions', which fences
	accounts
)

// kept are the sessions that one process, or one client, holds, and whether it knows its
// login.
type kept struct {
	login    atomic.Bool
	sessions [2][accounts]atomic.Bool // by member
}

// session returns whether a session with a Region's server is kept.
func (w *world) session(k *kept, to dr.Region, who account) *atomic.Bool {
	return &k.sessions[max(0, slices.Index(w.setup.Topology.Members, to))][who]
}

// admit is what opening a session needs, before the server is asked for anything: the
// login, the server's name, and room. reads says whether the login comes from Secrets
// Manager.
func (w *world) admit(ctx context.Context, k *kept, from, to dr.Region, reads bool) error {
	if w.half.Load() == nil {
		k.login.Store(true)
		return nil
	}
	if reads && !k.login.Load() {
		refused := errors.New("the login could not be read")
		if acts, err := w.trouble(ctx, w.depends(from, fault.SecretsManager, fault.KMS), refused); err != nil || acts {
			if err == nil {
				<-ctx.Done()
				err = ctx.Err()
			}
			return fmt.Errorf("embedded: read the login in %s: %w: %w", from, health.ErrNotAsked, err)
		}
		k.login.Store(true)
	}
	dark := &net.DNSError{Err: "server misbehaving", Name: "writer." + to.String(), IsTemporary: true}
	if acts, err := w.trouble(ctx, w.depends(from, fault.DNS), dark); err != nil || acts {
		if !errors.As(err, new(*net.DNSError)) {
			<-ctx.Done()
			err = &net.DNSError{Err: "i/o timeout", Name: dark.Name, IsTimeout: true}
		}
		return err
	}
	for _, h := range w.halves() {
		if h.Kind == fault.Database && h.How == fault.Full && h.Region == to && w.net.Reaches(from, to) && !w.inBlackout(to) && w.pair.DB(to).Answers() {
			w.shows(h)
			if err := pause(ctx, roundTrip(from, to)); err != nil {
				return err
			}
			return tooMany
		}
	}
	return nil
}

// shownAt waits until a half-failure has done something.
func (w *world) shownAt(f fault.Fault, since time.Duration) (time.Duration, bool) {
	var at []int64
	for _, h := range w.halves() {
		if h.Fault == f {
			at = append(at, h.shown.Load())
		}
	}
	w.mu.Lock()
	at = append(at, w.shown[f])
	w.mu.Unlock()
	for _, t := range at {
		if t > 0 && time.Duration(t-1) >= since {
			return time.Duration(t - 1), true
		}
	}
	return 0, false
}
