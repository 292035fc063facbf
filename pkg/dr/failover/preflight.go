package failover

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// lookTimeout bounds a preflight: what has not answered by then is unknown.
const lookTimeout = time.Second

// look asks the local Region's control plane and server what stands in the way of a
// promotion.
func (c *Controller) look(ctx context.Context) (Readiness, error) {
	call, cancel := context.WithTimeout(ctx, min(lookTimeout, c.cfg.Policy.CallTimeout))
	defer cancel()
	return c.cfg.Preflight.Preflight(call)
}

// Ready reports whether a member can be promoted by what is known, and why not. Unknown is
// not "not ready": when the control plane can't be asked (it throttles, say), a server that
// answers as a secondary is enough; when the server was not asked (its login can't be
// read), a control plane that shows nothing against it is. It is not ready when something
// is known to be missing, when its server was asked and did not answer, or when nothing is
// known at all: then the promotion could not be asked for either.
func (r Readiness) Ready() (bool, string) {
	missing := slices.Clone(r.Missing)
	if r.Silent {
		missing = append(missing, "its server does not answer")
	}
	if r.Role == "" && !r.Silent && !r.ClusterKnown {
		missing = append(missing, "neither its server nor its control plane could be asked: "+strings.Join(r.Unknown, "; "))
	}
	return len(missing) == 0, strings.Join(missing, "; ")
}

func (r Readiness) cluster() string {
	switch {
	case !r.ClusterKnown:
		return "it did not answer"
	case r.Cluster.MovingTo != "":
		return fmt.Sprintf("writer %s, moving to %s", r.Cluster.Writer, r.Cluster.MovingTo)
	}
	return "writer " + orNone(r.Cluster.Writer)
}

func orNone(r dr.Region) string {
	if r == "" {
		return "none"
	}
	return r.String()
}

func (r Readiness) server() string {
	switch {
	case r.Role != "":
		return string(r.Role)
	case r.Silent:
		return "it does not answer"
	}
	return "it was not asked"
}

// holds reports whether an execution's target held the lease before it, when the lease was
// last read.
func (c *Controller) holds(x Execution) bool {
	l, known := c.cfg.Watch.Lease()
	return known && l.Holder == x.To && !l.Released && l.Epoch < x.Epoch
}

// namedWithin is how much earlier than the server itself the control plane may name it the
// writer, and how long a promotion that is just ending is not asked about.
const namedWithin = 5 * time.Second

// disagree reports whether the control plane names a Region the writer whose own server says
// that it is a secondary.
func (r Readiness) disagree(region dr.Region) bool {
	return r.ClusterKnown && r.Cluster.Writer == region && r.Cluster.MovingTo == "" && r.Role == RoleSecondary
}

// judge says what a look means for an execution that has touched nothing: nothing (it may
// go on), an event, or that it is worth another look. It is pure.
func (c *Controller) judge(x Execution, r Readiness) (e Event, stop bool) {
	stuck := func(code Code, format string, args ...any) (Event, bool) {
		return Event{Kind: EvStuck, Code: code, Detail: fmt.Sprintf(format, args...)}, true
	}
	now := r.Cluster
	consented := x.Ack != nil && slices.Contains(x.Accepted.Codes, CodeTargetNotReady)
	if r.ClusterKnown {
		switch {
		case now.Writer == "" || !slices.Contains(c.cfg.Topology.Members, now.Writer):
			return stuck(CodeWriterUnknown, "the control plane names the writer %s, which is no member of the topology %v: nothing acts until it names one", orNone(now.Writer), c.cfg.Topology.Members)
		case now.MovingTo != "":
			return stuck(CodeMovedElsewhere, "the writer is being moved to %s by something else than this execution", now.MovingTo)
		case now.Writer == x.To && c.holds(x):
			// The lease and Aurora agree that the target has the writer: there is nothing to move.
			return Event{Kind: EvAbortRequested, Code: CodeMovedElsewhere, Detail: x.To.String() + " has the writer and the lease already"}, true
		case r.disagree(x.To) && !consented:
			return stuck(CodeTargetNotReady, "the control plane names %s the writer, and the server of %s says that it is a secondary", x.To, x.To)
		case now.Writer == x.To && x.Mode != ModeAdopt:
			return Event{Kind: EvAdopted, Detail: "the control plane names " + x.To.String() + " the writer: it was moved by something else"}, true
		case now.Writer != x.To && x.Mode == ModeAdopt:
			return Event{Kind: EvAbortRequested, Code: CodeMovedElsewhere, Detail: "the control plane names " + now.Writer.String() + " the writer again"}, true
		}
	}
	if x.Mode == ModeAdopt || consented {
		return Event{}, false
	}
	if r.Role == RoleWriter && r.ClusterKnown {
		return stuck(CodeTargetNotReady, "the server of %s says that it is the writer, and the control plane names %s", x.To, now.Writer)
	}
	if ok, missing := r.Ready(); !ok {
		return stuck(CodeTargetNotReady, "%s can't be promoted now: %s", x.To, missing)
	}
	return Event{}, false
}
