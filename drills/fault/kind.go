package fault

// Kind is what a fault does.
type Kind string

// The kinds that break a Region, its database or the ways between, with the
// arguments that each takes.
const (
	// None injects nothing: the control drill.
	None Kind = "none"
	// Blackout (region): everything in the Region falls silent. Packets are
	// dropped, processes live, nobody gets a reset.
	Blackout Kind = "blackout"
	// Kill (region): its servers and monitors are killed; connections are reset.
	Kill Kind = "kill"
	// FreezeDatabase (region): its database server stops in mid-flight; the rest
	// of the Region lives.
	FreezeDatabase Kind = "freeze-database"
	// Isolate (region): it is cut off from the other two Regions, while clients
	// inside it go on.
	Isolate Kind = "isolate"
	// CutLink (region, peer): only the link between the two is cut.
	CutLink Kind = "cut-link"
	// ReplicationLag (region, peer, duration): what the Region ships to the
	// peer arrives that much later.
	ReplicationLag Kind = "replication-lag"
	// ThrottleRDS (region, duration): the Region's RDS API refuses every call as
	// throttled for that long from the injection, or until the heal. Databases
	// and every other service are fine.
	ThrottleRDS Kind = "throttle-rds"
)

// The kinds that break the functions of a Region: its health monitor and its
// failover trigger. None of them touches a database or a client.
const (
	// KillMonitor (region): the health monitor's process is killed once, in
	// whatever it is doing. The schedule goes on: the next tick starts another.
	KillMonitor Kind = "kill-monitor"
	// StopMonitor (region): the same, and no tick starts another until the heal.
	StopMonitor Kind = "stop-monitor"
	// KillController (region): its controller, the failover trigger's process, is
	// killed once, nothing else: the one that runs, or the next one soon after it has
	// begun. Who had asked it asks again.
	KillController Kind = "kill-controller"
	// KillSteps (region): the trigger's process is killed after every step, that
	// is every change of state that it has recorded, until the heal.
	KillSteps Kind = "kill-steps"
	// LoseTicks (region): the schedule's ticks are lost until the heal. What runs
	// goes on.
	LoseTicks Kind = "lose-ticks"
	// DoubleTicks (region): every tick is delivered twice at once until the heal.
	DoubleTicks Kind = "double-ticks"
	// DoubleTrigger (region): every invocation of the trigger is carried out twice
	// at once, in two processes, until the heal.
	DoubleTrigger Kind = "double-trigger"
	// ColdStart (region, duration): idle processes are gone, busy ones go when they
	// are done, and each new one needs that much longer to start, until the heal.
	ColdStart Kind = "cold-start"
	// LambdaDown (region): the functions that run are killed, and no invocation is
	// accepted until the heal, be it a tick or a call.
	LambdaDown Kind = "lambda-down"
)

// Latent reports whether a fault of this kind shows only when what it breaks is used: a
// schedule at its next tick, a function at its next start or call, an API when it is
// asked. Of every other fault a drill sees the effect within seconds.
func (k Kind) Latent() bool {
	switch k {
	case ThrottleRDS, KillController, KillSteps, LoseTicks, DoubleTicks, DoubleTrigger, ColdStart:
		return true
	}
	return false
}

// arity says which arguments a kind takes, in the order region, peer, duration.
type arity struct{ region, peer, duration bool }

// kinds is every kind in the order in which they are listed to people.
var kinds = []struct {
	kind  Kind
	takes arity
}{
	{None, arity{}},
	{Blackout, arity{region: true}},
	{Kill, arity{region: true}},
	{FreezeDatabase, arity{region: true}},
	{Isolate, arity{region: true}},
	{CutLink, arity{region: true, peer: true}},
	{ReplicationLag, arity{region: true, peer: true, duration: true}},
	{ThrottleRDS, arity{region: true, duration: true}},
	{KillMonitor, arity{region: true}},
	{StopMonitor, arity{region: true}},
	{KillController, arity{region: true}},
	{KillSteps, arity{region: true}},
	{LoseTicks, arity{region: true}},
	{DoubleTicks, arity{region: true}},
	{DoubleTrigger, arity{region: true}},
	{ColdStart, arity{region: true, duration: true}},
	{LambdaDown, arity{region: true}},
}

// Kinds returns every kind.
func Kinds() []Kind {
	out := make([]Kind, len(kinds))
	for i, k := range kinds {
		out[i] = k.kind
	}
	return out
}

func takes(k Kind) (arity, bool) {
	for _, known := range kinds {
		if known.kind == k {
			return known.takes, true
		}
	}
	return arity{}, false
}
