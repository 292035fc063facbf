// Package cloudwatch reads Aurora's lag metric as evidence for people, publishes the
// metric that steers Route 53 health checks, and writes events for Lambda's logs.
//
// None of it decides a failover: AWS/RDS metrics come once a minute and late, so
// [RPOLag] is for reports and alarms. [Role] is the data-plane half of a redirect:
// Route 53's own API lives in us-east-1 and must not be needed.
//
// # Metrics
//
// All are in the namespace Lifeboat, with the dimensions Region and GlobalCluster, at
// standard resolution. [Role] puts WriterHere, [Events] writes the others as lines in
// CloudWatch's embedded metric format.
//
//	name                unit          what
//	WriterHere          None          1 for the Region that has the writer, 0 for the other
//
//	MonitorHeartbeats   Count         reports of the Region's monitor that the other Regions can read;
//	                                  0 while it works and no Region can read them, missing while none works
//	LeaseAge            Milliseconds  time since the lease was last seen to be renewed, at each report
//	SinceCommit         Milliseconds  time since a heartbeat write of the guard last committed, at each report of the
//	                                  Region that holds the lease, also while its writer is closed; while no lease is
//	                                  known, of the Region whose server says that it is the writer
//	Verdict             None          0 Unknown, 1 Healthy, 2 Degraded, 3 Impaired: what the Region thinks of the
//	                                  writer's, at each sample
//	ProbesAlive         Count         answers in the samples, of all families
//	ProbesDead          Count
//	ProbesUnknown       Count
//	RPOLag              Milliseconds  of each sample that brought one
//	RPOLagAge           Milliseconds  how long ago the newest RPOLag was true; it rises while none is brought
//
//	MonitorGap          Milliseconds  how long at most no monitor had worked in the Region when one took the work up
//	MonitorLeaseLosses  Count         monitor leases that were not renewed in time: a silent store or a broken clock
//
//	VerdictChanges      Count         the thought about a Region has changed
//	LeaseChanges        Count         the lease was taken or lost, the writer fenced, cut off or opened
//	Problems            Count         something failed that will be retried or worked around
//	StateChanges        Count         an execution has entered a state
//	ExecutionsSettled   Count         an execution has moved the writer
//	ExecutionsAborted   Count         an execution has ended before it touched anything
//	ExecutionsOperator  Count         an execution asks a person
//
//	PhaseDetect         Milliseconds  first dark sample -> Confirmed
//	PhaseDecide         Milliseconds  Confirmed -> EpochTaken
//	PhaseFence          Milliseconds  EpochTaken -> Fenced
//	PhaseGate           Milliseconds  Fenced -> LossAccepted
//	PhasePromote        Milliseconds  LossAccepted -> Promoted
//	PhaseVerify         Milliseconds  Promoted -> Verified
//	PhaseRedirect       Milliseconds  Verified -> Redirected
//	PhaseSettle         Milliseconds  Redirected -> Settled
//	PhaseOperator       Milliseconds  a person's answer
//	PhaseTotal          Milliseconds  first dark sample -> Settled; of a switchover, from Confirmed on
//
// The second group comes in one line per 10 s from every monitor that works
// ([EventsConfig.Every]); the writer's own Region samples nothing and has only the first
// two of it. Several values of a metric in one line are written as a list, so that
// percentiles are true. Answers by family are in the line, as Probes, and not metrics:
// five families in three Regions would be 45 of them, at $0.30 a month each.
//
// MonitorGap comes with every handover, once a minute. Everything below comes when it
// happens, and CloudWatch then bills its metrics by the hour. A process that continues
// an execution knows from the journal how long the state before took. When two work on
// the same one at once, both may write a state and its phase.
//
// # For alarms
//
// A dead man: the sum of MonitorHeartbeats is below 1, or missing, for three minutes.
// A blind Region: the maximum of MonitorGap is above 4000. A lease that no monitor renews: the
// maximum of LeaseAge is above the lease's TTL. A writer that commits nothing, whatever
// the lease says: the maximum of SinceCommit is above 15000. Replication that is not seen: the
// maximum of RPOLagAge is above the policy's MaxLagAge.
//
// # Lines
//
// A line is one JSON object of at most a few KB: texts are cut at 4 KB. What a line
// says of an execution is in Execution, Epoch, State, Code and Detail; of a verdict in
// Vantage, Subject, State, Since and Why; of the monitor lease in Process, Number and MonitorLease; of 10 s
// also in Reports, Holder, Epoch, Probes and SlowestSample, which is in ms. Texts
// are JSON strings, so nothing in them can begin a line or a field. What a month's
// lines and metrics cost is in lambdas/README.md.
package cloudwatch
