package failover

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover/guard"
)

// away is what a Region's monitor remembers while the Region has the lease, or has given it
// back and no other one has taken it, and its writer seems to be elsewhere. It belongs to the
// goroutine of own.
type away struct {
	since time.Time // when that was first seen; zero when it is not so
	to    dr.Region // where the control plane has named the writer; empty while it has named none elsewhere
	home  dr.Epoch  // the newest epoch in which the writer was seen here
}

// left notes that the writer seems to be elsewhere.
func (w *away) left(to dr.Region, now time.Time) {
	if w.since.IsZero() {
		w.since = now
	}
	if to != "" {
		w.to = to
	}
}

// track looks after a writer that other hands have moved out of the Region that has the
// lease: a move that ends here again is followed by no execution, so people would not hear
// of it.
func (a *agent) track(ctx context.Context, l Lease, look int) {
	if l.Holder != a.cfg.Region {
		a.away = away{} // that Region's trigger has followed, and tells of it
		return
	}
	role := a.guard.role()
	if role == guard.Writer && !l.Released {
		a.away.home = l.Epoch
	}
	if l.Execution != "" && a.away.home != l.Epoch {
		// An execution has taken the epoch, and the writer has not come here yet.
		a.away = away{}
		return
	}
	if role == guard.Secondary {
		a.away.left("", time.Now())
		if to := a.away.to; l.Released && slices.Contains(a.cfg.Topology.Members, to) {
			// People hear of it if it lasts: an adoption takes seconds.
			a.problem("hand the lease over", fmt.Errorf("the writer was moved to %s, this Region has given the lease of epoch %d back, and the monitor and trigger of %s have not taken it: see that they run; until then no monitor watches the writer, or fences it", to, l.Epoch, to))
		}
	}
	// The control plane is asked rarely, until it has named another Region or this one again.
	if a.away.since.IsZero() || role == guard.Secondary && a.away.to != "" || look%2 != 0 {
		return
	}
	writer, err := a.named(ctx)
	switch {
	case err != nil || writer == "":
	case writer != a.cfg.Region:
		a.away.left(writer, time.Now())
	case role == guard.Writer && !l.Released:
		if a.away.to != "" {
			a.owe(a.away.back(a.cfg.Topology, a.cfg.Region, l, false, time.Now()))
		}
		a.away = away{home: a.away.home}
	}
}

// back says that a writer which was elsewhere is here again.
func (w away) back(t dr.Topology, here dr.Region, l Lease, taken bool, now time.Time) Message {
	at := func(x time.Time) string { return x.UTC().Truncate(time.Millisecond).Format(time.RFC3339Nano) }
	m := Message{Subject: fmt.Sprintf("%s: the writer is back from %s", here, w.to)}
	var b strings.Builder
	if w.to == "" {
		m.Subject = here.String() + ": has taken its lease back, its server is the writer"
		fmt.Fprintf(&b, "The server of %s is the writer of %s, and its control plane agrees. Before that the server had not said so. A person or AWS has moved the writer away and back, or a reader had answered in its place.\n\n", here, t.GlobalCluster)
	} else {
		fmt.Fprintf(&b, "A person or AWS has moved the writer of %s from %s to %s and back again. Lifeboat has moved nothing.\n\n", t.GlobalCluster, here, w.to)
	}
	if w.since.IsZero() {
		b.WriteString("seen away: not by this process\n")
	} else {
		fmt.Fprintf(&b, "seen away: %s\n", at(w.since))
	}
	fmt.Fprintf(&b, "seen back: %s, by the clock of %s\n", at(now), here)
	if taken {
		fmt.Fprintf(&b, "lease: %s had given it back, and has taken it again as epoch %d; no other Region had it\n", here, l.Epoch)
	} else {
		fmt.Fprintf(&b, "lease: %s has held it all the time, epoch %d\n", here, l.Epoch)
	}
	b.WriteString("\nWhether writes were lost in these moves is not known to Lifeboat. Nothing has to be done for it: clients are led to " + here.String() + " as before.\n")
	m.Body = b.String()
	return m
}

// owe has people told of something, and keeps it until they were.
func (a *agent) owe(m Message) {
	a.mu.Lock()
	a.owed = append(a.owed, m)
	a.mu.Unlock()
	a.nudge() // a successor tells what this process could not
}

// tellOwed tells people what they are owed, in order, until a message is not accepted.
func (a *agent) tellOwed(ctx context.Context) {
	for {
		a.mu.Lock()
		all := a.owed
		a.mu.Unlock()
		if len(all) == 0 {
			return
		}
		call, cancel := context.WithTimeout(ctx, 2*a.cfg.Policy.CallTimeout)
		err := a.cfg.Notifier.Notify(call, all[0])
		cancel()
		if err != nil {
			return
		}
		a.mu.Lock()
		a.owed = a.owed[1:]
		a.mu.Unlock()
		a.nudge()
	}
}
