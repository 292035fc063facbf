// Package monitorlease decides which of a Region's monitor processes acts: the one that
// holds the Region's monitor lease.
//
// The health monitor is started once a minute and works until the next one has
// taken over. EventBridge starts it late, twice or not at all (60-second precision:
// two ticks may be 119 s apart; EventBridge Scheduler user guide, "Schedule types"),
// and Lambda kills it without notice. The monitor lease is a record in the lease table, one per
// Region, that hands the work from one process to the next without a gap. A handover never lets
// two work. It is another record than the writer's lease, which names a Region.
//
//	a new process           claims the monitor lease, unless another one waits already, and waits
//	the one that works      sees the claim when it renews, stops working, releases the monitor lease
//	the new process         takes it, and works
//	the old one             leaves when it has seen the new one renew; else takes it back
//
// A holder that is silent for TTL + Drift may lose the monitor lease. As with the writer's
// lease no clock is compared with another one: the holder counts TTL from before it sent a
// renewal; a process that waits counts TTL + Drift from after it first saw that renewal, and
// takes the monitor lease by a compare-and-swap on it.
//
// A holder whose renewals don't get through works on until it sees that another process has
// the monitor lease. When the store is silent for all, none can take it, and the work is what keeps
// the writer open by the other member's promises. A process that has stood still ends its
// work at once, and looks first.
//
// A store that is slow gets more time, for reads and for writes apart: twice what the last
// call took, up to TTL. While reads take half of Renew or more no process claims the lease, because
// a handover of several such calls would leave the writer's guard away for too long.
//
// # Two at once
//
// So two processes of a Region may work at once, while the older one is cut off from the
// store or has stood still, and until it has read the monitor lease again: at most one call, which
// lasts up to TTL, and a look after the store answers it. For that time
//
//   - reports are ordered by their Seq, which begins with the clock: the older one's are refused;
//   - renewals of the writer's lease only raise its Rev, by compare-and-swap, for the same holder;
//   - the first epoch and every other one are taken by compare-and-swap, and an execution is
//     advanced by a conditional write to its journal;
//   - a guard counts only heartbeat writes of its own process as acknowledged by the other
//     member's promise: their numbers begin with the clock, too.
//
// What this rests on: the older process of a member that is not the writer's may go on to
// promise to leave the writer's lease alone while the younger one has it taken. That needs a
// process that reaches the other member's database and not the store, when another process
// of its Region and the witness reach the store and not that database.
//
// No process leaves before it has seen a successor take the monitor lease and renew it. That is why
// one that dies between its claim and its take costs Patience, one that dies at its
// first step costs TTL, as after a deployment that can't start, and neither costs the
// rest of the minute. The price is that two processes of a Region live at once for up to
// Renew after a handover, and three after a doubled tick.
//
// # What it costs
//
// A worker writes once per Renew, a handover needs a claim, a renewal that the claim
// refuses, a release and a take, and about fifteen reads while
// one of them waits for the other. With the defaults and a tick per minute that is 5140 + 240 writes
// and about 990 reads an hour in each Region.
//
// # What is assumed
//
// Monotonic clocks differ in rate by less than Drift/TTL, and a process that stands
// still for longer than Margin does nothing of weight before its timers have fired. A process
// that a hypervisor stops together with its monotonic clock breaks that. Lambda does
// so between invocations only, when Run has returned.
package monitorlease
