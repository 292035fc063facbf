package trigger

import (
	"slices"
	"strings"
	"time"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/event"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// writer is where the writer is by control plane, by lease and by the local server.
func (h *Handler) writer(k *known) event.Writer {
	w := event.Writer{Agree: h.agree(k)}
	if k.cluster != nil {
		w.ControlPlane = &event.ControlPlane{Region: k.cluster.Writer, MovingTo: k.cluster.MovingTo, Status: k.cluster.Status}
	}
	if k.lease != nil {
		p := h.cfg.Agent.Policy
		silent, unserved := h.silence(k)
		w.Lease = &event.Lease{Holder: k.lease.Holder, Epoch: k.lease.Epoch, Released: k.lease.Released, SilentFor: event.Took(silent), Expired: silent >= p.LeaseTTL}
		if silent < p.SilentAfter() && unserved >= p.SilentAfter() {
			w.Lease.UnservedFor = event.Took(unserved)
		}
	}
	if k.ready != nil {
		own := event.Server{Region: h.cfg.Agent.Region, SeenBy: h.cfg.Agent.Region, Role: k.ready.Role}
		switch {
		case own.Role == failover.RoleWriter:
			own.Says = "it is the writer"
		case own.Role == failover.RoleSecondary:
			own.Says = "it follows the writer of another Region"
		case k.ready.Silent:
			own.Says = "it does not answer"
		}
		if own.Says != "" {
			w.Servers = append(w.Servers, own)
		}
	}
	return w
}

// agree compares what the control plane, the lease and the local server say of the writer.
func (h *Handler) agree(k *known) string {
	own, named := h.cfg.Agent.Region, []dr.Region(nil)
	if k.cluster != nil {
		named = append(named, k.cluster.Writer)
	}
	if k.lease != nil {
		named = append(named, k.lease.Holder)
	}
	role := failover.Role("")
	if k.ready != nil {
		role = k.ready.Role
	}
	secondary := role == failover.RoleSecondary && slices.Contains(named, own)
	if role == failover.RoleWriter {
		named = append(named, own)
	}
	slices.Sort(named)
	switch {
	case len(slices.Compact(named)) > 1, secondary, k.cluster != nil && k.cluster.MovingTo != "":
		return "no"
	case k.cluster == nil, k.lease == nil:
		return "unknown"
	}
	return "yes"
}

// servers is what the monitors have last seen of databases.
func servers(v health.Verdict, now time.Time) (out []event.Server) {
	for _, o := range v.Observations {
		if o.Family != health.SQL {
			continue
		}
		says := "it commits writes"
		if o.Answer != health.Alive {
			says = o.Answer.String() + ": " + event.Plain(o.Cause)
		}
		out = append(out, event.Server{Region: o.Subject, Says: says, SeenBy: o.Vantage, Age: event.Took(max(0, now.Sub(o.At)))})
	}
	slices.SortStableFunc(out, func(a, b event.Server) int { return strings.Compare(string(a.SeenBy), string(b.SeenBy)) })
	return out
}
