// Package cost says what the functions cost in a month at list prices, from what
// their loop does.
package cost

import (
	"fmt"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// Month is 30 days, the month that is counted.
const Month = 30 * 24 * time.Hour

// Loop is what runs in a month in which nothing fails. The zero value means the
// deployment's defaults; a test holds the numbers that Terraform and the agents have
// to them.
type Loop struct {
	Policy dr.Policy
	// Members have a database and a guard, Witnesses only observe. Default 2 and 1.
	Members, Witnesses int
	// Tick is the time between two invocations of a monitor. Default 1 min.
	Tick time.Duration
	// Memory is what a monitor is given, in MB of 1024 KB. Default 512.
	Memory int
	// Concurrency is how many invocations of a monitor Lambda lets run at once.
	// Default 2.
	Concurrency int
	// Overlap is how long two invocations run at once while the monitor lease is handed over.
	// Default 2 s: the claim is seen at the next renewal of the monitor lease, and the work
	// then stops within its margin.
	Overlap time.Duration
	// MonitorLeaseRenew is the time between two renewals of a monitor lease, MonitorLeasePoll
	// between two looks of a process that waits for it. Default 700 ms and 100 ms, as in
	// lambdas/function/monitorlease.
	MonitorLeaseRenew, MonitorLeasePoll time.Duration
	// HeartbeatUnits is the size of a heartbeat in the table, in units of 1 KB.
	// Default 2.
	HeartbeatUnits int
	// Copies is how many Regions a write is paid in. Default 3: both replicas, and
	// the witness, whose price AWS's guide to billing does not name.
	Copies int
	// Summary is the time that a line about samples and reports covers, SummaryBytes how
	// long such a line is on average over all Regions, and HandoverBytes how much is logged
	// for each invocation besides, Lambda's own lines included. Default 10 s, 768 and
	// 2048. Each line is billed with 26 bytes more [K], which are in both.
	Summary                     time.Duration
	SummaryBytes, HandoverBytes int
	// Role is the time between two datapoints of the role metric. Default 30 s.
	Role time.Duration
	// Interfaces are the interface endpoints that a member's functions use, PeerInterfaces
	// those that are there for the other member alone, each in Zones zones. Default 6, 1
	// and 3.
	Interfaces, PeerInterfaces, Zones int
	Prices                            Prices
}

// Line is one position of the bill.
type Line struct {
	What     string
	Formula  string
	Unit     string  // what is counted
	Quantity float64 // in a month
	Price    float64 // of one, in dollars
	// Bound is the quantity that can't be exceeded even when every tick is doubled
	// and every place is taken; 0 when it is Quantity.
	Bound float64
}

// Cost is what the line adds to the bill, in dollars.
func (l Line) Cost() float64 { return l.Quantity * l.Price }

// BoundCost is what it can add at most.
func (l Line) BoundCost() float64 { return max(l.Quantity, l.Bound) * l.Price }

// WithDefaults fills in what is zero.
func (l Loop) WithDefaults() Loop {
	l.Policy = l.Policy.WithDefaults()
	fill(&l.Members, 2)
	fill(&l.Witnesses, 1)
	fill(&l.Tick, time.Minute)
	fill(&l.Memory, 512)
	fill(&l.Concurrency, 2)
	fill(&l.Overlap, 2*time.Second)
	fill(&l.MonitorLeaseRenew, 700*time.Millisecond)
	fill(&l.MonitorLeasePoll, 100*time.Millisecond)
	fill(&l.HeartbeatUnits, 2)
	fill(&l.Copies, 3)
	fill(&l.Summary, 10*time.Second)
	fill(&l.SummaryBytes, 768)
	fill(&l.HandoverBytes, 2048)
	fill(&l.Role, 30*time.Second)
	fill(&l.Interfaces, 6)
	fill(&l.PeerInterfaces, 1)
	fill(&l.Zones, 3)
	fill(&l.Prices, ListPrices)
	return l
}

func fill[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// monitorLeaseWrites are those of one handover: a claim, the renewal that it makes fail (which
// is paid all the same), a release and a take.
const monitorLeaseWrites = 4

// Rates are calls to the lease store per second in a steady state. They are what the
// agents' loops add up to, and a test counts them on running agents.
type Rates struct {
	Renew      float64 // of the lease, by the one that holds it
	Publish    float64 // heartbeats, by all Regions
	Heartbeats float64 // looks at all heartbeats, by all Regions
	ReadLease  float64 // by all Regions
	Journal    float64 // looks at the newest execution, by the members
}

// Rates returns the rates of the loop.
func (l Loop) Rates() Rates {
	l = l.WithDefaults()
	p, regions := l.Policy, float64(l.Members+l.Witnesses)
	// The holder learns from its renewals and looks once per two of them; a witness
	// need not be as fresh as who may promote.
	holder := perSecond(roundUp(2*p.RenewInterval, p.ObserveInterval))
	peers := float64(l.Members-1) * perSecond(p.ObserveInterval)
	witnesses := float64(l.Witnesses) * perSecond(max(p.ObserveInterval, p.ProbeInterval/2))
	return Rates{
		Renew:      perSecond(p.RenewInterval),
		Publish:    regions * perSecond(p.ProbeInterval/2),
		Heartbeats: regions * perSecond(p.ProbeInterval), // the holder, too: what others report of its writer
		ReadLease:  holder + peers + witnesses,
		Journal:    2 * perSecond(30*time.Second), // while nothing is open
	}
}

// Metrics returns how many metrics the functions write in a month in which nothing fails,
// and how many there are at most. Names and reasons are in pkg/dr/cloudwatch.
func (l Loop) Metrics() (steady, most int) {
	l = l.WithDefaults()
	regions := l.Members + l.Witnesses
	const (
		everywhere = 3 // MonitorHeartbeats, LeaseAge, MonitorGap
		watching   = 5 // Verdict, the three of Probes, and VerdictChanges: every process begins with one
		holding    = 2 // LeaseChanges, for the same reason, and SinceCommit
		lagging    = 2 // RPOLag, RPOLagAge: where there is a stream to look at
		names      = 28
	)
	role := l.Members * l.Members // each says where the writer is, about each
	steady = everywhere*regions + watching*(regions-1) + holding + lagging*(l.Members-1) + role
	return steady, names*regions + role
}

// Monthly returns the bill of a month in which nothing fails. Failovers are left out:
// one costs minutes of a second function and a few dozen requests.
func (l Loop) Monthly() []Line {
	l = l.WithDefaults()
	var (
		rates    = l.Rates()
		month    = Month.Seconds()
		regions  = float64(l.Members + l.Witnesses)
		ticks    = regions * month / l.Tick.Seconds()
		copies   = float64(l.Copies)
		gb       = float64(l.Memory) / 1024
		overlap  = l.Overlap.Seconds()
		renewals = rates.Renew * month * copies
		beats    = rates.Publish * month * float64(l.HeartbeatUnits) * copies
		leases   = (regions*perSecond(l.MonitorLeaseRenew)*month + monitorLeaseWrites*ticks) * copies
		looks    = ticks * overlap / l.MonitorLeasePoll.Seconds()

		summaries    = regions * perSecond(l.Summary) * month * float64(l.SummaryBytes) / (1 << 30)
		handovers    = ticks * float64(l.HandoverBytes) / (1 << 30)
		steady, most = l.Metrics()
	)
	return []Line{
		{"Lambda invocations", "Regions × month ÷ tick", "requests", ticks, l.Prices.LambdaRequest, 2 * ticks},
		{"Lambda duration", "(Regions × month + invocations × overlap) × memory", "GB-seconds",
			(regions*month + ticks*overlap) * gb, l.Prices.LambdaGBSecond, regions * float64(l.Concurrency) * month * gb},
		{"Lease renewals", "month ÷ RenewInterval × copies", "write units", renewals, l.Prices.WriteUnit, 0},
		{"Heartbeats", "Regions × month ÷ (ProbeInterval ÷ 2) × units each × copies", "write units", beats, l.Prices.WriteUnit, 0},
		{"Monitor leases", "(Regions × month ÷ renewal + 4 × invocations) × copies", "write units", leases, l.Prices.WriteUnit, 0},
		{"Looks at the lease", "month × (1 ÷ (2 × RenewInterval) + 1 ÷ ObserveInterval + 1 ÷ (ProbeInterval ÷ 2))", "read units",
			rates.ReadLease * month, l.Prices.ReadUnit, 0},
		{"Looks at heartbeats", "Regions × month ÷ ProbeInterval × units of all", "read units",
			rates.Heartbeats * month * readUnits(l), l.Prices.ReadUnit, 0},
		{"Looks at the journal", "members × month ÷ 30 s × one entry", "read units", rates.Journal * month, l.Prices.ReadUnit, 0},
		{"Looks at the monitor lease", "invocations × overlap ÷ poll", "read units", looks, l.Prices.ReadUnit, 2 * looks},
		{"Replication", "write units ÷ copies × (copies − 1) × 1 KB", "GB between Regions",
			(renewals + beats + leases) / copies * (copies - 1) / (1 << 20), l.Prices.GBBetweenRegions, 0},
		{"Traces", "invocations", "traces", ticks, l.Prices.Trace, 2 * ticks},
		{"Logs", fmt.Sprintf("Regions × month ÷ %v × %d B + invocations × %d B", l.Summary, l.SummaryBytes, l.HandoverBytes), "GB of logs",
			summaries + handovers, l.Prices.LogGB, summaries + 2*handovers},
		{"Metrics", "names × Regions that write them", "metrics", float64(steady), l.Prices.Metric, float64(most)},
		{"Role metric", "members × month ÷ 30 s", "requests", float64(l.Members) * perSecond(l.Role) * month, l.Prices.PutMetric, 0},
	}
}

// Endpoints returns the bill of the members' interface endpoints, which cost by the hour
// and the zone whether the functions run or not. In a month in which nothing fails nothing
// goes through the other member's endpoint of DynamoDB: a call asks the local replica first,
// by the gateway.
func (l Loop) Endpoints() []Line {
	l = l.WithDefaults()
	hours := func(endpoints int) float64 { return float64(endpoints*l.Zones*l.Members) * Month.Hours() }
	return []Line{
		{"Interface endpoints", fmt.Sprintf("%d services × %d zones × members × month", l.Interfaces, l.Zones), "hours", hours(l.Interfaces), l.Prices.EndpointHour, 0},
		{"DynamoDB, for the other member", fmt.Sprintf("%d × %d zones × members × month", l.PeerInterfaces, l.Zones), "hours", hours(l.PeerInterfaces), l.Prices.EndpointHour, 0},
	}
}

// Total adds up a bill, in dollars: what it is, and what it is at most.
func Total(lines []Line) (cost, bound float64) {
	for _, line := range lines {
		cost += line.Cost()
		bound += line.BoundCost()
	}
	return cost, bound
}

// readUnits is what one look at all heartbeats costs: a strongly consistent query is
// counted by the sum of what it reads, in units of 4 KB.
func readUnits(l Loop) float64 {
	kb := (l.Members + l.Witnesses) * l.HeartbeatUnits
	return float64((kb + 3) / 4)
}

func perSecond(every time.Duration) float64 { return 1 / every.Seconds() }

// roundUp is when a ticker is first at d or past it.
func roundUp(d, tick time.Duration) time.Duration { return (d + tick - 1) / tick * tick }
