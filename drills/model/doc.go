// Package model explores the protocol of a failover exhaustively: every order in which
// two members, their databases, their monitors and triggers, the witness, the lease
// store, the control plane and a person can act, with cuts, crashes, lost Regions, frozen
// servers, lost, late and doubled messages, two triggers at once and clocks that drift, up
// to the bounds of a [Config].
//
// Controllers walk the real table: [failover.Step] decides what follows what. Guards are
// the real ones, too: each input goes through [guard.Step], and what is remembered of the
// state that it returns is in guardian.go. Lease store, control plane and databases are
// written down here a second time, as smaller machines whose steps are atomic where the
// code holds a conditional write, and apart where a process can die or a message be lost.
// That they are true to the code is what pkg/dr/failover's search holds, which runs the code
// itself in drawn worlds; that nothing was missed between the draws is what this package
// holds.
//
// # Time
//
// One tick is a quarter of the lease: LeaseTTL is 4, LeaseMargin 1, LeaseDrift 1. All
// clocks advance together, except that within one revision of the lease the holder's may
// lose a tick or an observer's gain one, which together is LeaseDrift. A guard's fence
// that is due is done within LeaseMargin: the server confirms it, or is cut off.
// That is the assumption of the design, and time stands still in the model until it holds.
// A guard learns of a tick before the next one passes; while no execution is under way, at
// once.
//
// # Promises
//
// With [Config.Promises] a member's monitor reads the newest heartbeat write of the holder's
// guard and names it in a row of the writer's database, unless it abstains: it does so from
// some moment on after an execution that would promote its Region has begun. A trigger takes
// the lease's silence for a proof only with its monitor's statement, made while it abstains,
// that its last promise is older than TTL and drift; a monitor that starts takes its
// predecessor's for sent at that moment. Reading and naming are one action: the later the
// row is written, the longer the promise outlives what it grants.
//
// # Messages
//
// What a message can suffer is modelled where it makes a difference, and is one of the
// orders of actions elsewhere:
//
//	a renewal         lost before or after the store, late, doubled, overtaken: [Config.Lost];
//	                  a cut takes its answer without counting as a loss
//	an opening        lost ([Config.Lost]); its statement carries a deadline, so it is never late
//	an order to       late by any time, because taking it is an action of its own; lost or
//	promote           doubled ([Config.Lost])
//	taking the epoch  a compare-and-swap on the revision that was seen, so a doubled one fails;
//	                  lost is not yet done; the answer lost is a crash between effect and journal,
//	                  and after both the execution finds itself in the lease; late is the second
//	                  trigger ([Config.Triggers]), which has waited
//	a journal entry   conditional on its number: doubled it finds itself, late it is the second
//	                  trigger's, lost it is repeated
//	a read, a         may be put off at any state for any time: lost and late are the same as
//	heartbeat         not yet; heartbeats are numbered, an older one never replaces a newer one,
//	                  and a fence names the revision for which it holds
//	an invocation     doubled at the same time: [Config.Triggers]; one after the other: a trigger
//	                  may begin in every state
//	a person's word   kept, and read by who asks: late, twice, or when another question of this
//	                  execution or of the next one is open ([Config.Kept]); the real
//	                  [failover.Step] refuses what is to another question. Elsewhere it is taken
//	                  as it is given
//
// # A target that can't be promoted
//
// With [Config.Unready] a secondary may at any moment become one whose control plane refuses
// to promote it, and may be promoted again later. Before the epoch a controller sees that and
// asks; what comes about after its look is refused, and asked about, with the epoch taken. An
// open question is over when its cause is.
//
// # The way back
//
// With [Config.Returns] a person may want the lease given back at any moment between the epoch
// and the promotion. That is journalled past the trigger, which goes on with what it does, an
// order to promote too, until it sees the journal. The next epoch goes to the old Region only
// while its control plane names it the writer, nothing is moving and its monitor reports; that
// monitor reads in the journal that its guard may open the writer. With [Config.Aborts] a person
// may call an execution off before it has its epoch, also while it takes it: then it gives it back.
//
// # The third Region
//
// The witness votes in the lease store's majority, over links that can be cut, and counts
// like a member for how long the lease has been silent: State.Silence is the longest count
// of any process, and a process that reaches the store knows it, because all publish theirs
// and a duration needs no clock in common. A shorter count is not modelled, because it is the
// same as acting later. Its agent does nothing else.
//
// # What must hold
//
// In every state: no database acknowledges a write after another one, promoted later, has
// ([ErrDual]); once a failover's fence is proven the old writer acknowledges nothing, and
// nothing is promoted without a proof ([ErrUnfenced]; a switchover is fenced by Aurora,
// which stops the old writer before it promotes); what needs a person's consent has it
// before the promotion ([ErrUnasked]); nothing counts as verified before the new writer has
// acknowledged a write ([ErrUnverified]); and no guard decides to close or to reboot a writer that serves, while a
// renewal or a promise still holds that it has had the time to hear of ([ErrHarm]).
//
// Of every run: once nothing breaks any more it comes to a good end, every execution
// ended and exactly one database open ([ErrEndless]). What is asked of the scheduler is
// weak fairness: a party that can act all the time acts at last, be it a process, a person
// or the repair of a fault. So it is not enough that an end can still be reached: a run that
// goes round and round past it is found, too. See live.go for how.
//
// The assumptions of ARCHITECTURE.md are switches of [Config], so that a test can show
// that each of them is needed: without it the search prints the shortest way to two
// writers, or into a run without an end.
//
// # Fewer states
//
// Nothing is truncated: a search that meets its limit returns [ErrLimit]. States are made
// fewer by forgetting what no later step reads (State.forget, each with its reason)
// and by remembering revisions and journal entries as "still the latest or not" instead of
// by number.
package model
