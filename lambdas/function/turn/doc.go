// Package turn decides which process of a Region acts.
//
// The health monitor is started once a minute and works until the next one has
// taken over. EventBridge starts it late, twice or not at all (60-second precision:
// two ticks may be 119 s apart; EventBridge Scheduler user guide, "Schedule types"),
// and Lambda kills it without a word. The turn is a record in the lease table that
// hands the work from one process to the next without a gap and never to two.
//
//	a new process           claims the turn, unless somebody else waits already, and waits
//	the one that works      sees the claim when it renews, stops working, releases the turn
//	the new process         takes it, and works
//	the old one             leaves when it has seen the new one renew; else takes it back
//
// A holder that is silent for TTL + Drift has lost the turn. As with the writer's lease
// no clock is compared with another one: the holder counts TTL from before it sent a
// renewal, and its work ends Margin before that; whoever waits counts TTL + Drift from
// after it first saw that renewal, and takes the turn by a compare-and-swap on it.
//
// Nobody leaves before it has seen a successor take the turn and renew it. That is why
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
// still for longer than Margin does nothing before its timers have fired. A process
// that a hypervisor stops together with its monotonic clock breaks that. Lambda does
// so between invocations only, when Run has returned.
package turn
