package fault

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// Kind is what a fault does.
type Kind string

// The kinds that break a Region, its database or the ways between, with the
// arguments that each takes.
const (
	// None injects nothing: the control drill.
	None Kind = "none"
	// Blackout (region): everything in the Region falls silent. Packets are
	// dropped, processes live, no client gets a reset.
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

// The kinds of half-failures. What a kind does is one word more, a [How]: [Hows] lists
// them.
const (
	// Dependency (region or everywhere, service, how): the calls to an AWS service of the
	// Region go wrong. It prints as "service(us-east-1,dynamodb,refuse)".
	Dependency Kind = "service"
	// Database (region, how): the Region's database server half works, such as
	// "database(us-east-1,commits-slow,2s)".
	Database Kind = "database"
	// Promotion (region, how): the control plane does not promote the Region's member.
	Promotion Kind = "promotion"
	// Console (region, how): a person, or AWS itself, moves the writer to the Region past
	// Lifeboat, or reboots the Region's server. The heal takes nothing back.
	Console Kind = "console"
)

// Everywhere stands for every Region in a fault of kind [Dependency].
const Everywhere dr.Region = "everywhere"

// Service is an AWS service, as fault [Dependency] names it: all of it, or one operation
// after a point, such as "dynamodb.UpdateItem".
type Service string

// serviceForm is the shape of a Service.
var serviceForm = regexp.MustCompile(`^([a-z]+)(\.[A-Z][A-Za-z]{2,60})?$`)

// Split returns the service without the operation, and the operation, which is empty for
// all of them.
func (s Service) Split() (service Service, operation string) {
	name, op, _ := strings.Cut(string(s), ".")
	return Service(name), op
}

// The services that can go wrong. KMS is what Secrets Manager needs to decrypt a secret.
const (
	DynamoDB       Service = "dynamodb"
	RDS            Service = "rds"
	Lambda         Service = "lambda"
	SNS            Service = "sns"
	SecretsManager Service = "secretsmanager"
	KMS            Service = "kms"
	CloudWatch     Service = "cloudwatch"
	DNS            Service = "dns"
)

// Services returns every service.
func Services() []Service {
	return []Service{DynamoDB, RDS, Lambda, SNS, SecretsManager, KMS, CloudWatch, DNS}
}

// How is in which way a fault of its kind shows.
type How string

// How calls to a service go wrong.
const (
	Refuse   How = "refuse"    // answered with 503
	Hang     How = "hang"      // not answered, not carried out
	Slow     How = "slow"      // (duration) answered that much later
	Throttle How = "throttle"  // answered with the service's throttling error
	Deny     How = "deny"      // answered with access denied
	Lose     How = "lose"      // carried out, and the answer is lost
	LoseActs How = "lose-acts" // the same of the calls that change something; the others are fine
	Stale    How = "stale"     // (duration) reads answer as of that long ago
)

// How a database server half works.
const (
	CommitsSlow      How = "commits-slow"       // (duration) every commit takes that much longer
	CommitsHang      How = "commits-hang"       // it answers, and no commit ends
	Full             How = "full"               // new sessions get "too many connections", kept ones go on
	FullForFunctions How = "full-for-functions" // the functions get "too many connections", clients are served
	Denied           How = "denied"             // the functions' heartbeat account is denied, clients are served
	ReadOnly         How = "read-only"          // a person has made it read-only, once
	Restart          How = "restart"            // (duration) it is down for that long, and comes back by itself
	// DiskFull is error 1021 to every commit. The same fault has other numbers: "error-3"
	// is one of them, and any "error-NUMBER" is a How of kind Database.
	DiskFull How = "error-1021"
)

// How a promotion does not come about. Refuse is also one: every order is refused.
const (
	Endless  How = "endless"  // the order is accepted, and takes until the heal or a minute
	Headless How = "headless" // the member has no instance
	Resync   How = "resync"   // the member is being synchronized
)

// What is done at the console.
const (
	Switchover How = "switchover" // SwitchoverGlobalCluster to the Region
	Forced     How = "failover"   // FailoverGlobalCluster to the Region, with data loss
	Reboot     How = "reboot"     // RebootDBInstance of the Region's writer instance
)

// hows lists in which ways a kind shows, and whether each takes a duration.
var hows = map[Kind][]struct {
	how      How
	duration bool
}{
	Dependency: {{Refuse, false}, {Hang, false}, {Slow, true}, {Throttle, false}, {Deny, false}, {Lose, false}, {LoseActs, false}, {Stale, true}},
	Database: {{CommitsSlow, true}, {CommitsHang, false}, {Full, false}, {FullForFunctions, false}, {Denied, false}, {ReadOnly, false},
		{Restart, true}, {DiskFull, false}},
	Promotion: {{Refuse, false}, {Endless, false}, {Headless, false}, {Resync, false}},
	Console:   {{Switchover, false}, {Forced, false}, {Reboot, false}},
}

// Hows returns in which ways a kind shows; none for a kind that needs no such word.
func Hows(k Kind) []How {
	var out []How
	for _, h := range hows[k] {
		out = append(out, h.how)
	}
	return out
}

// mysqlError is a How of kind Database that names a server's error.
var mysqlError = regexp.MustCompile(`^error-([1-9][0-9]{0,3})$`)

// MySQLError returns the number in a How such as "error-1021", and 0 for any other.
func (h How) MySQLError() uint16 {
	m := mysqlError.FindStringSubmatch(string(h))
	if m == nil {
		return 0
	}
	n, _ := strconv.ParseUint(m[1], 10, 16) // the expression leaves nothing else
	return uint16(n)
}

// of reports whether a kind knows a How, and whether it takes a duration then.
func (h How) of(k Kind) (known, duration bool) {
	for _, one := range hows[k] {
		if one.how == h {
			return true, one.duration
		}
	}
	return k == Database && h.MySQLError() != 0, false
}

// Latent reports whether a fault of this kind shows only when what it breaks is used: a
// schedule at its next tick, a function at its next start or call, an API when it is
// asked. Of every other fault a drill sees the effect within seconds.
func (k Kind) Latent() bool {
	switch k {
	case ThrottleRDS, KillController, KillSteps, LoseTicks, DoubleTicks, DoubleTrigger, ColdStart, Dependency, Promotion:
		return true
	}
	return false
}

// arity says which arguments a kind takes, in the order region, peer, service, how,
// duration. Of a kind with a How, the How says whether it takes a duration.
type arity struct{ region, peer, service, how, duration bool }

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
	{Dependency, arity{region: true, service: true, how: true}},
	{Database, arity{region: true, how: true}},
	{Promotion, arity{region: true, how: true}},
	{Console, arity{region: true, how: true}},
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
