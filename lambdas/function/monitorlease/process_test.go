package monitorlease_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/monitorlease"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// process is one invocation. Its fields are the world's, under its lock.
type process struct {
	w      *world
	id     string
	rate   float64 // of its clock
	born   time.Time
	since  time.Time // it has lived without standing still
	dead   bool
	frozen chan struct{} // closed when it goes on; nil when it does
	work   context.Context
	kill   context.CancelFunc
	done   bool      // owes nothing any more
	left   time.Time // when it last yielded
	cut    bool      // it can't reach the store
	number uint64    // of the lease that it has taken last
	begun  time.Time // it has begun to work
	told   time.Time // it has seen that another one has the lease; zero while it has not
	failed int       // calls of its own since it began to work
}

// String tells processes of the same tick apart.
func (p *process) String() string { return fmt.Sprintf("%s@%v", p.id, p.born.Format("05.000")) }

// start runs a process after a delay, until Run returns or it is killed.
func (w *world) start(ctx context.Context, id string, cold time.Duration) {
	w.wg.Go(func() {
		if !doze(ctx, cold) {
			return
		}
		run, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		p := &process{w: w, id: id, rate: 1, born: time.Now(), since: time.Now(), kill: cancel}
		if w.rough {
			p.rate = float64(w.between(98, 103)) / 100
		}
		w.mu.Lock()
		w.settle()
		w.procs[p] = true
		w.note("%s starts", p)
		w.mu.Unlock()

		cfg := p.config()
		// From here on it is on its way out and owes nothing.
		goodbye := time.AfterFunc(limit-cfg.Spare, func() { w.gone(p, "deadline") })
		err := monitorlease.Run(run, cfg, p.act)
		goodbye.Stop()
		w.mu.Lock()
		// A process that leaves on its own account leaves a live one behind.
		others := len(w.procs)
		if w.procs[p] {
			others--
		}
		end, _ := run.Deadline() // also of the whole day
		if run.Err() == nil && time.Until(end) > cfg.Spare && !p.done && others == 0 && len(w.workers) == 0 && time.Since(w.idle) > 2*time.Second {
			w.fail("%s left, and no process works since %v", p, w.idle)
		}
		w.mu.Unlock()
		w.gone(p, "")
		w.mu.Lock()
		defer w.mu.Unlock()
		if err != nil {
			w.fail("%s: %v", p, err)
		}
	})
}

// config is the default, as a process with a clock of its own rate measures it.
func (p *process) config() monitorlease.Config {
	c := monitorlease.Config{Region: "us-east-1", Process: p.id, Store: p, OnEvent: p.event}.WithDefaults()
	for _, d := range []*time.Duration{&c.TTL, &c.Margin, &c.Drift, &c.Renew, &c.Call, &c.Poll, &c.Patience, &c.Spare} {
		*d = time.Duration(float64(*d) * p.rate)
	}
	return c
}

// act works until its context ends, and needs up to Margin to stop.
func (p *process) act(ctx context.Context) error {
	w := p.w
	w.mu.Lock()
	p.work, p.begun, p.told, p.failed = ctx, time.Now(), time.Time{}, 0
	if !p.dead && p.frozen == nil {
		w.working(p)
	}
	w.mu.Unlock()
	<-ctx.Done()
	stopping := 20 * time.Millisecond
	if w.rough {
		stopping = w.between(0, 50*time.Millisecond)
		if w.chance(.05) {
			stopping = w.between(0, p.config().Margin)
		}
	}
	doze(context.WithoutCancel(ctx), stopping)
	w.mu.Lock()
	defer w.mu.Unlock()
	p.work = nil
	w.resting(p)
	return context.Cause(ctx)
}

func (p *process) event(e monitorlease.Event) {
	w := p.w
	w.count(string(e.What))
	w.mu.Lock()
	if e.What == monitorlease.Taken {
		p.number = e.Lease.Number
	}
	w.note("%s: %s, %d beats %d %s next %q released %v, %v", p, e.What, e.Lease.Number, e.Lease.Beat, e.Lease.Holder, e.Lease.Next, e.Lease.Released, e.Err)
	w.mu.Unlock()
	switch {
	case e.What == monitorlease.Taken && e.Silent >= 2*time.Second:
		w.count("taken over from the dead")
	case e.What == monitorlease.Taken && !p.left.IsZero() && time.Since(p.left) < 2*time.Second:
		w.count("taken back")
	case e.What == monitorlease.Yielded:
		p.left = time.Now()
	}
	// Death loves the moments between two steps.
	if w.rough && (e.What == monitorlease.Claimed || e.What == monitorlease.Taken || e.What == monitorlease.Yielded) && w.chance(.02) {
		w.dies(p)
	}
}

// kill ends a process that lives, without a word.
func (w *world) kill(context.Context) {
	if p := w.any(); p != nil {
		w.dies(p)
	}
}

func (w *world) dies(p *process) {
	w.mu.Lock()
	dead := p.dead
	p.dead = true
	w.mu.Unlock()
	if !dead {
		w.gone(p, "killed")
		p.kill()
	}
}

// gone strikes a process off those that could act.
func (w *world) gone(p *process, why string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.note("%s is gone %s", p, why)
	if why != "" {
		w.counts[why]++
	}
	if w.procs[p] {
		w.settle()
		delete(w.procs, p)
	}
	p.done = true
	if p.dead {
		w.resting(p)
		w.orphaned(p)
	}
}

// orphaned notes that the process that took the lease last does nothing with it. As with any holder
// that dies, its silence has to be proven from here on.
func (w *world) orphaned(p *process) {
	if w.taker == p && len(w.workers) == 0 {
		w.idle, w.hurt = time.Now(), 0
	}
}

func (w *world) any() *process {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []*process
	for p := range w.procs {
		all = append(all, p)
	}
	if len(all) == 0 {
		return nil
	}
	// The map's order is not the seed's.
	slices.SortFunc(all, func(a, b *process) int { return cmp.Or(a.since.Compare(b.since), cmp.Compare(a.id, b.id)) })
	return all[w.rng.IntN(len(all))]
}

// freeze stops a process for a while: it neither acts nor hears, and its timers fire
// when it goes on.
func (w *world) freeze(ctx context.Context) {
	p := w.any()
	if p == nil {
		return
	}
	w.mu.Lock()
	if p.dead || p.frozen != nil || !w.procs[p] {
		w.mu.Unlock()
		return
	}
	w.counts["paused"]++
	w.settle()
	delete(w.procs, p)
	w.resting(p)
	w.orphaned(p)
	thaw := make(chan struct{})
	p.frozen = thaw
	w.note("%s stands still", p)
	w.mu.Unlock()
	doze(ctx, w.between(100*time.Millisecond, 20*time.Second))
	w.mu.Lock()
	defer w.mu.Unlock()
	p.frozen = nil
	close(thaw)
	if p.dead {
		return
	}
	w.settle()
	p.since, p.told = time.Now(), time.Time{}
	w.note("%s goes on", p)
	if p.work != nil && p.work.Err() == nil {
		w.working(p)
	}
	if !p.done {
		w.procs[p] = true
	}
}

// Read implements monitorlease.Store through all the world's faults.
func (p *process) Read(ctx context.Context, r dr.Region) (t monitorlease.Lease, err error) {
	err = p.call(ctx, "read", func() error {
		t, err = p.w.store.Read(context.WithoutCancel(ctx), r)
		return err
	})
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	if err == nil && p.work != nil && t.Number > p.number && p.told.IsZero() {
		p.told = time.Now()
	}
	return t, err
}

// Write implements monitorlease.Store.
func (p *process) Write(ctx context.Context, old, next monitorlease.Lease) error {
	return p.call(ctx, "write", func() error {
		w := p.w
		w.mu.Lock()
		defer w.mu.Unlock()
		err := w.store.Write(context.WithoutCancel(ctx), old, next)
		if silent := time.Since(w.spoke); err == nil && next.Number > old.Number && old.Number > 0 && !old.Released {
			w.mute[next.Number] = time.Now()
			// The fastest clock counts TTL + Drift while the slowest counts TTL.
			if least := time.Duration(float64(monitorlease.Config{}.WithDefaults().TTL) * 1.02); silent < least {
				w.fail("%s has taken the lease %v after the holder's last word", p, silent)
			}
		}
		if err == nil && (next.Number > old.Number || next.Beat > old.Beat || next.Released && !old.Released) {
			w.spoke = time.Now()
		}
		if err == nil && next.Number > old.Number {
			w.taker = p
			if p.dead || p.done || p.frozen != nil {
				w.settle()
				w.orphaned(p)
			}
		}
		return err
	})
}

var (
	errRefused = errors.New("refused")
	errLost    = errors.New("no answer")
	errDead    = errors.New("the process is dead")
)

// thawed waits until the process is not stopped, and reports whether it lives.
func (p *process) thawed() bool {
	for {
		p.w.mu.Lock()
		frozen, dead := p.frozen, p.dead
		p.w.mu.Unlock()
		if frozen == nil || dead {
			return !dead
		}
		<-frozen
	}
}

// call carries out an operation of the store, or what the world makes of it.
func (p *process) call(ctx context.Context, op string, do func() error) error {
	w := p.w
	if !p.thawed() {
		return errDead
	}
	w.count(op)
	latency, fate := w.fate(p, op)
	if fate != "" {
		w.mu.Lock()
		p.failed++
		w.mu.Unlock()
	}
	switch {
	case fate == "outage":
		<-ctx.Done()
		return errLost
	case !doze(ctx, latency/2):
		return errLost
	case !p.thawed():
		return errDead
	case fate == "refused":
		return errRefused
	case fate == "late":
		delay := w.between(0, 4*time.Second)
		w.wg.Go(func() {
			doze(context.WithoutCancel(ctx), delay)
			_ = do()
		})
		<-ctx.Done()
		return errLost
	}
	err := do()
	if fate == "lost" {
		<-ctx.Done()
	}
	arrived := doze(ctx, latency/2)
	switch {
	case !p.thawed():
		return errDead
	case !arrived:
		return errLost
	}
	return err
}

// fate draws what becomes of a call.
func (w *world) fate(p *process, op string) (time.Duration, string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	// MRSC asks a second Region: 12 to 60 ms away, there and back.
	latency := 20*time.Millisecond + time.Duration(w.rng.Int64N(int64(60*time.Millisecond)))
	if !w.rough {
		return latency, ""
	}
	fate, x := "", w.rng.Float64()
	switch {
	case w.sick == "outage", p.cut:
		fate = "outage"
		return latency, fate
	case w.sick == "slow":
		latency = 100*time.Millisecond + time.Duration(w.rng.Int64N(int64(800*time.Millisecond)))
	case x < .002:
		fate = "lost"
	case x < .004 && op == "write":
		fate = "late"
	case x < .008:
		fate = "refused"
	}
	if fate != "" {
		w.note("%s of %s: %s", op, p, fate)
		w.counts[fate]++
		w.hurt++
	}
	return latency, fate
}
