package killtable

// guardBugs are those of the guard, which keeps the lease and fences the writer.
func guardBugs() []Bug {
	const room, pkg, step = "guard", "./pkg/dr/failover", "./pkg/dr/failover/guard"
	return []Bug{
		{
			Name: "the lease is measured from its answer", Room: room, File: "pkg/dr/failover/guard/keep.go",
			Old: "s.StoreAt, s.Armed, s.Inherited = max(s.StoreAt, x.Sent), true, false",
			New: "s.StoreAt, s.Armed, s.Inherited = m.now, true, false",
			Why: "the holder counts its TTL from later than the observer does", Package: pkg, Test: "TestGuardCountsFromBeforeItAsked", Says: "counted from before the request",
		},
		{
			Name: "no margin before the lease runs out", Room: room, File: "pkg/dr/failover/guard/rules.go",
			Old: "Region: region, Valid: p.LeaseTTL - p.LeaseMargin,",
			New: "Region: region, Valid: p.LeaseTTL,",
			Why: "the fence begins when it should be done", Package: pkg, Test: "TestGuardFencesItselfBeforeItsLeaseRunsOut", Says: `is not less than "6s"`,
		},
		{
			Name: "a guard that starts believes that nothing is open", Room: room, File: "pkg/dr/failover/guard/state.go",
			Old: "\ts.inherit(&r, now)\n\treturn s\n",
			New: "\treturn s\n",
			Why: "a monitor restarted inside a cut never fences", Package: pkg, Test: "TestGuardRestart", Says: "the writer is closed",
		},
		{
			Name: "the writer is opened before the renewal", Room: room, File: "pkg/dr/failover/guard/keep.go",
			Old: "\tif !s.MayOpen || s.Opening.ID != 0 || s.Fencing.ID != 0 || s.Behind {\n\t\treturn\n\t}\n",
			New: "\topens := s.Closing.On && s.Closing.Acked && s.Serves(m.Rules)\n\tif !opens && !s.MayOpen || s.Opening.ID != 0 || s.Fencing.ID != 0 || s.Behind {\n\t\treturn\n\t}\n\tif opens {\n\t\ts.StoreAt, s.Armed = m.now, true\n\t}\n",
			Why: "opened on an epoch that may be gone", Package: pkg, Test: "TestGuardOpensAgainWhenNoRegionTookTheEpoch", Says: "Should be false",
		},
		{
			Name: "a lease that has moved is no reason to fence", Room: room, File: "pkg/dr/failover/guard/keep.go",
			Old: "\t\tlost := s.Armed && !s.Closing.On\n\t\tif s.Armed {\n\t\t\tm.close(true)\n\t\t}\n",
			New: "\t\tlost := s.Armed && !s.Closing.On\n",
			Why: "fences seconds later than it could", Package: step, Test: "TestAMovedLeaseClosesTheWriter", Says: "no fence in",
		},
		{
			Name: "the lease is renewed without a heartbeat", Room: room, File: "pkg/dr/failover/guard/keep.go",
			Old: "\tcase in.Result == Done:\n\t\ts.Trials, s.PlaneTries = 0, 0\n",
			New: "\tcase in.Result == Done, in.Result == Silent:\n\t\ts.Trials, s.PlaneTries = 0, 0\n",
			Why: "a writer that commits nothing looks alive for ever", Package: pkg, Test: "TestGuardLetsTheLeaseOfAWriterThatCommitsNothingFallSilent", Says: "one in two TTLs",
		},
		{
			Name: "a taken epoch opens the writer", Room: room, File: "pkg/dr/failover/guard/state.go",
			Old: "return l.Holder == r.Region && !l.Released && (l.Execution == \"\" || l.Rev > l.TakenRev || s.Told == l.Epoch)",
			New: "return l.Holder == r.Region && !l.Released",
			Why: "a member that has not rejoined takes itself for the writer", Package: step, Test: "TestATakenEpochOpensNothing", Says: "--- FAIL: TestATakenEpochOpensNothing",
		},
		{
			Name: "a frozen writer is not cut off", Room: room, File: "pkg/dr/failover/guard/fence.go",
			Old: "\t\tm.cutOff(in.Result)\n",
			New: "",
			Why: "it thaws as a second writer", Package: pkg, Test: "TestGuardCutsAFrozenWriterOff", Says: "the writer is cut off",
		},
		{
			Name: "the watchdog is kept quiet without a lease", Room: room, File: "pkg/dr/failover/guard/keep.go",
			Old: "case m.Watchdog && (s.Inherited && s.PeerAt == never || s.Armed && m.now-s.Youngest() > 3*m.Renew):",
			New: "case m.Watchdog && s.Inherited && s.PeerAt == never && m.now-s.Youngest() > 3*m.Renew:",
			Why: "the database never fences itself", Package: pkg, Test: "TestWatchdogIsNotKeptQuietWithoutALease", Says: "the database closes itself",
		},
		{
			Name: "the RPO guard reopens with writes still on their way", Room: room, File: "pkg/dr/failover/guard/lag.go",
			Old: "drained := s.Closing.ByRPO && s.Closing.Acked && (seq >= s.Committed || known && m.overtaken(*w))",
			New: "drained := s.Closing.ByRPO && s.Closing.Acked",
			Why: "what was acknowledged before the cut is no longer counted", Package: pkg, Test: "TestRPOGuardWaitsForEverythingToArrive", Says: "what it has acknowledged has not arrived",
		},
		{
			Name: "any late heartbeat counts as the last one", Room: room, File: "pkg/dr/failover/guard/lag.go",
			Old: "(w.Answered == never || w.Answered >= last.Sent)",
			New: "(true || w.Answered >= last.Sent)",
			Why: "a stream that stands still opens the writer again (found by this table, 2026-11-23)", Package: pkg, Test: "TestRPOGuardWaitsForEverythingToArrive", Says: "what it has acknowledged has not arrived",
		},
		{
			Name: "between two guards no process keeps the RPO", Room: room, File: "pkg/dr/failover/guard/lag.go",
			Old: "if !m.RPO || s.Behind && s.SafeAt == never {",
			New: "if !m.RPO || s.Behind {",
			Why: "a cut right after a handover costs a lease of writes (found by 150 runs of one game day, 2026-11-23)", Package: pkg, Test: "TestAHandoverGuardKeepsTheRPO", Says: "the limit holds between two guards",
		},
		{
			Name: "a handover loses a sample of the lag", Room: room, File: "pkg/dr/failover/guard/behind.go",
			Old: "\ts.SampledAt, s.BeatAt = never, never // the guard of the lag goes on at once\n", New: "",
			Why: "a healthy writer is closed between two guards (found by playing the old guard's histories, 2026-11-30)", Package: step, Test: "TestTheLagIsGuardedOverAHandover", Says: "no read-replica in",
		},
		{
			Name: "a lag that is not known is a lag", Room: room, File: "pkg/dr/failover/guard/lag.go",
			Old: "s.CanAskAt != never && m.now-max(s.SafeAt, s.CanAskAt) >= m.RPOLimit", New: "m.now-s.SafeAt >= m.RPOLimit",
			Why: "a healthy writer is closed in the instant in which its login can be read again (found by simulation, seed 4577)", Package: step, Test: "TestALagThatIsNotKnownClosesNothing", Says: "--- FAIL: TestALagThatIsNotKnownClosesNothing/one_that_is_not_asked,_from_the_limit_on",
		},
		{
			Name: "a refusal now and then excuses every lag", Room: room, File: "pkg/dr/failover/guard/lag.go",
			Old: "how.unknown() && m.now-s.DoneAt >= m.RPOLimit/2:", New: "how.unknown():",
			Why: "a full server turns the guard of the lag off", Package: step, Test: "TestALagThatIsNotKnownClosesNothing", Says: "--- FAIL: TestALagThatIsNotKnownClosesNothing/one_that_is_not_asked_now_and_then",
		},
		{
			Name: "a successor takes half of a grant that had run out", Room: room, File: "pkg/dr/failover/guard/step.go",
			Old: "s.Begun-in.Granted+(m.TTL-m.Valid)/2", New: "s.Begun+in.Granted",
			Why: "a writer whose lease could not be renewed is open past TTL, beside its successor (found by simulation, seed 1854)", Package: step, Test: "TestAnInheritedGrantIsNoYoungerThanWhatThePredecessorHasTold", Says: "--- FAIL: TestAnInheritedGrantIsNoYoungerThanWhatThePredecessorHasTold/it_was_five_s_old",
		},
		{
			Name: "a guard that stays behind waits for its last look", Room: room, File: "pkg/dr/failover/guard/behind.go",
			Old: "for i := range s.Looks {\n\t\tif s.Looks[i].ID == 0", New: "for i := range s.Looks[:1] {\n\t\tif s.Looks[i].ID == 0",
			Why: "a slow store closes the writer while monitors take turns (found by simulation, seed 1823)", Package: step, Test: "TestTheLooksOfAGuardThatStaysBehindOverlap", Says: "--- FAIL: TestTheLooksOfAGuardThatStaysBehindOverlap",
		},
		{
			Name: "no lease is no answer", Room: room, File: "pkg/dr/failover/perform.go",
			Old: "if errors.Is(err, ErrNoLease) {", New: "if errors.Is(err, ErrNoLease) && op != \"\" && e.Quiet {",
			Why: "a monitor that hands over before the first lease closes the writer that its successor has opened (found by simulation, seed 1177)", Package: pkg, Test: "TestAHandoverGuardOfAFoundingMonitorClosesNothing", Says: "should have",
		},
		{
			Name: "an epoch that came back opens unasked", Room: room, File: "pkg/dr/failover/guard/owner.go",
			Old: "s.Told == s.Term.Epoch && s.Back != s.Told", New: "s.Told == s.Term.Epoch",
			Why: "an order that is carried out late has two servers serve, each unknown to the other (found by trying kubeblocks-addons#3065)", Package: pkg, Test: "TestAnOrderThatIsCarriedOutAfterTheWayBack", Says: "the new writer is open with the lease, and the old one closed",
		},
		{
			Name: "a lease that no Region takes over is no trouble", Room: room, File: "pkg/dr/failover/away.go",
			Old: "to := a.away.to; l.Released &&", New: "to := a.away.to; !l.Released &&",
			Why: "a writer that was moved to a Region without a monitor is watched by none, and people don't hear of it", Package: pkg, Test: "TestPeopleAreToldOfALeaseThatNoRegionTakesOver", Says: "--- FAIL: TestPeopleAreToldOfALeaseThatNoRegionTakesOver",
		},
		{
			Name: "a lease that was given back is for followers only", Room: room, File: "pkg/dr/failover/owner.go",
			Old: "if !followed && !l.Released {", New: "if !followed {",
			Why: "after a console failback while the monitor there was away, no Region writes before a verdict is reached", Package: pkg, Test: "TestAWriterIsAdoptedWhoseMonitorWasAway", Says: "the writer is open, without a verdict",
		},
		{
			Name: "two guards beat into one row", Room: room, File: "pkg/dr/failover/perform.go",
			Old: "return g.cfg.Region + behindRow",
			New: "return g.cfg.Region",
			Why: "each takes the other's beats for a lag, and closes a healthy writer", Package: pkg, Test: "TestAHandoverGuardKeepsTheRPO", Says: "neither takes the other's beats for a lag",
		},
		{
			Name: "the observer counts from before it looked", Room: room, File: "pkg/dr/failover/watch.go",
			Old: "case err == nil:\n\t\t\tw.Observe(got, time.Now())", New: "case err == nil:\n\t\t\tw.Observe(got, read)",
			Why: "a renewal granted during the read is older than it is", Package: pkg, Test: "TestWatchCountsFromAfterItLooked", Says: "have been silent for longer",
		},
		{
			Name: "an older answer replaces a newer one", Room: room, File: "pkg/dr/lease/observer.go",
			Old: "return v.Known && r.Rev < v.Seen.Rev", New: "return v.Known && r.Epoch+9 < v.Seen.Epoch",
			Why: "a late answer resets the silence", Package: pkg, Test: "TestWatchForgetsNothingForALateAnswer", Says: "the silence goes on",
		},
		{
			Name: "a grant is kept after its time", Room: room, File: "pkg/dr/failover/guard/state.go",
			Old: "s.Grants.End(r.Valid)", New: "s.Grants.End(r.Valid + r.TTL)",
			Why: "a writer that is cut off goes on beside its successor", Package: step, Test: "TestAGrantEnds", Says: "--- FAIL: TestAGrantEnds/the_store's",
		},
		{
			Name: "a process begins with a short heartbeat write", Room: room, File: "pkg/dr/failover/guard/keep.go",
			Old: "!s.Short && !m.Watchdog", New: "s.Short && !m.Watchdog",
			Why: "a writer whose commits take longer than Resend is closed while monitors take turns", Package: step, Test: "TestTheFirstHeartbeatWriteMayBeSlow", Says: "--- FAIL: TestTheFirstHeartbeatWriteMayBeSlow",
		},
		{
			Name: "a heartbeat write waits for a renewal that hangs", Room: room, File: "pkg/dr/failover/guard/keep.go",
			Old: "\t\tm.beatBetween()\n", New: "",
			Why: "with the store away, a writer that watches over itself closes itself", Package: pkg, Test: "TestThePeersGrantKeepsAWatchedWriterOpen", Says: "--- FAIL: TestThePeersGrantKeepsAWatchedWriterOpen/the_store_hangs",
		},
		{
			Name: "only the row that the server counts from is named", Room: room, File: "pkg/dr/failover/promise.go",
			Old: "err != nil || !a.cfg.Policy.Watchdog ||", New: "err != nil || a.cfg.Policy.Watchdog ||",
			Why: "while the store takes no writes, the next process of a watched writer's monitor closes it", Package: pkg, Test: "TestAWatchedWriterOutlivesAHandoverWithoutRenewals", Says: "--- FAIL: TestAWatchedWriterOutlivesAHandoverWithoutRenewals/the_store_hangs",
		},
		{
			Name: "the lag is looked for in the watchdog's row", Room: room, File: "pkg/dr/failover/guard/lag.go",
			Old: "\t\t\trow = w.Row //", New: "\t\t\trow = min(w.Row, RowOwn) //",
			Why: "while the store takes no writes, the next process of a watched writer's monitor closes it after RPOLimit", Package: pkg, Test: "TestAWatchedWriterOutlivesAHandoverWithoutRenewals", Says: "--- FAIL: TestAWatchedWriterOutlivesAHandoverWithoutRenewals",
		},
		{
			Name: "a report is looked for after its call", Room: room, File: "pkg/dr/failover/promise.go",
			Old: "return min(400*time.Millisecond, p.CallTimeout/3)", New: "return 400 * time.Millisecond",
			Why: "with a short CallTimeout, the next process of the peer's monitor promises nothing while answers are lost", Package: pkg, Test: "TestAnyPolicyHandsOverWithoutRenewals", Says: "--- FAIL: TestAnyPolicyHandsOverWithoutRenewals",
		},
		{
			Name: "the first grant of a process waits for the next round", Room: room, File: "pkg/dr/failover/guard/owner.go",
			Old: "if m.Watchdog && s.Inherited && s.PeerAt == never {", New: "if false {",
			Why: "a watched writer closes itself at a handover of its monitor while the store takes no writes", Package: pkg, Test: "TestAWatchedWriterOutlivesAHandoverWithoutRenewals", Says: "--- FAIL: TestAWatchedWriterOutlivesAHandoverWithoutRenewals/the_store_refuses,_the_next_process_1s",
		},
		{
			Name: "a fence that is refused is asked again at once", Room: room, File: "pkg/dr/failover/guard/fence.go",
			Old: "s.Closing = Closing{RetryAt: m.now + m.Poll}", New: "s.Closing = Closing{}",
			Why: "asks a server that refuses connections as fast as the process can", Package: step, Test: "TestAGuardKeepsTheRules", Says: "asks without a pause what is refused",
		},
		{
			Name: "a promise for each second sample", Room: room, File: "pkg/dr/failover/promise.go",
			Old: "return min(p.ProbeInterval/2, p.RenewInterval, promiseTimeout(p)/5)", New: "return p.ProbeInterval / 2",
			Why: "with the store away, a policy with rare samples closes a healthy writer", Package: pkg, Test: "TestAnyPolicyKeepsAWriterOpenWithoutTheStore", Says: "--- FAIL: TestAnyPolicyKeepsAWriterOpenWithoutTheStore",
		},
		{
			Name: "a promise counts from when it is read", Room: room, File: "pkg/dr/failover/guard/owner.go",
			Old: "s.PeerAt = max(s.PeerAt, w.Sent)", New: "s.PeerAt = m.now",
			Why: "the holder counts the peer's grant from later than the peer does", Package: step, Test: "TestAGrantEnds", Says: "--- FAIL: TestAGrantEnds/the_peer's",
		},
		{
			Name: "any promise is a grant", Room: room, File: "pkg/dr/failover/guard/owner.go",
			Old: "if !known || w.Epoch != s.Term.Epoch || !s.Armed || s.Demoted == w.Epoch {", New: "if known && w.Epoch == 0 || !s.Armed {",
			Why: "a row from the future or of another process keeps a writer open", Package: step, Test: "TestAPromiseOfNothingGrantsNothing", Says: "--- FAIL: TestAPromiseOfNothingGrantsNothing/the_future",
		},
		{
			Name: "a blind renewal claims a committed write", Room: room, File: "pkg/dr/failover/guard/keep.go",
			Old: "held.Blind = blind", New: "held.Blind = false",
			Why: "a server that is never asked counts as serving", Package: step, Test: "TestWhatIsRenewed", Says: "--- FAIL: TestWhatIsRenewed/not_asked",
		},
		{
			Name: "an answer that says nothing is dead", Room: room, File: "pkg/dr/failover/guard/input.go",
			Old: "return r == Refused || r == NotAsked", New: "return r > Moved",
			Why: "too many connections for the monitor end the lease of a healthy writer", Package: step, Test: "TestWhatIsRenewed", Says: "--- FAIL: TestWhatIsRenewed/not_asked",
		},
		{
			Name: "a secondary's lease is renewed", Room: room, File: "pkg/dr/failover/guard/keep.go",
			Old: "closed\n\t\tm.demote()\n", New: "closed\n\t\tm.renew(true, false, false)\n",
			Why: "two owners, never reconciled, after a move at the console", Package: step, Test: "TestWhatIsRenewed", Says: "--- FAIL: TestWhatIsRenewed/a_secondary",
		},
		{
			Name: "the lease is given back before the fence", Room: room, File: "pkg/dr/failover/guard/owner.go",
			Old: "if !s.Closing.Acked || !m.Releases ||", New: "if !m.Releases ||",
			Why: "the next Region opens beside a server that still accepts", Package: step, Test: "TestADemotedGuardGivesTheLeaseBack", Says: "--- FAIL: TestADemotedGuardGivesTheLeaseBack",
		},
		{
			Name: "a writer that another vantage sees serve is rebooted", Room: room, File: "pkg/dr/failover/guard/fence.go",
			Old: "\tcase OthersAlive:\n\t\treturn false\n", New: "\tcase OthersAlive:\n\t\treturn true\n",
			Why: "the monitor's own trouble costs the clients a reboot", Package: step, Test: "TestWhatIsCutOff", Says: "--- FAIL: TestWhatIsCutOff/silent,_and_another_sees_it_serve",
		},
	}
}
