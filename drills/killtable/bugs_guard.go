package killtable

// guardBugs are those of who keeps the lease and fences the writer.
func guardBugs() []Bug {
	const room, pkg = "guard", "./pkg/dr/failover"
	return []Bug{
		{
			Name: "the lease is measured from its answer", Room: room, File: "pkg/dr/failover/guard.go",
			Old: "g.lease, g.renewedAt, g.armed, g.inherited = l, start, true, false",
			New: "g.lease, g.renewedAt, g.armed, g.inherited = l, time.Now(), true, false",
			Why: "the holder counts its TTL from later than the observer does", Package: pkg, Test: "TestGuardCountsFromBeforeItAsked", Says: "counted from before the request",
		},
		{
			Name: "no margin before the lease runs out", Room: room, File: "pkg/dr/failover/fence.go",
			Old: "left := g.renewedAt.Add(g.cfg.Policy.LeaseTTL - g.cfg.Policy.LeaseMargin).Sub(now)",
			New: "left := g.renewedAt.Add(g.cfg.Policy.LeaseTTL).Sub(now)",
			Why: "the fence begins when it should be done", Package: pkg, Test: "TestGuardFencesItselfBeforeItsLeaseRunsOut", Says: `is not less than "6s"`,
		},
		{
			Name: "a guard that starts believes that nothing is open", Room: room, File: "pkg/dr/failover/guard.go",
			Old: "\tg.mu.Lock()\n\tg.inherit(time.Now())\n\tg.mu.Unlock()\n\tvar wg sync.WaitGroup\n", New: "\tvar wg sync.WaitGroup\n",
			Why: "a monitor restarted inside a cut never fences", Package: pkg, Test: "TestGuardRestart", Says: "the writer is closed",
		},
		{
			Name: "the writer is opened before the renewal", Room: room, File: "pkg/dr/failover/guard.go",
			Old: "\tif !g.renew(ctx, held, start) {\n\t\treturn\n\t}\n\tcall, cancel := context.WithTimeout(ctx, g.callTimeout())\n",
			New: "\tcall, cancel := context.WithTimeout(ctx, g.callTimeout())\n\t_ = g.cfg.Fencer.Open(call, held.Epoch)\n\tif !g.renew(ctx, held, start) {\n\t\tcancel()\n\t\treturn\n\t}\n",
			Why: "opened on an epoch that may be gone", Package: pkg, Test: "TestGuardOpensAgainWhenNobodyTookTheEpoch", Says: "Should be false",
		},
		{
			Name: "a lease that has moved is no reason to fence", Room: room, File: "pkg/dr/failover/guard.go",
			Old: "\t\tif g.armed {\n\t\t\tg.fence.closed = true\n\t\t}\n\t\tg.mu.Unlock()\n\t\tif lost {", New: "\t\tg.mu.Unlock()\n\t\tif lost {",
			Why: "fences seconds later than it could", Package: pkg, Test: "TestGuardAcknowledgesItsFence", Says: `is not less than "1s"`,
		},
		{
			Name: "the lease is renewed without a heartbeat", Room: room, File: "pkg/dr/failover/guard.go",
			Old: "\terr := g.heartbeat(ctx, held.Epoch, fence.byRPO)\n", New: "\t_ = g.heartbeat(ctx, held.Epoch, fence.byRPO)\n\tvar err error\n",
			Why: "a writer that commits nothing looks alive for ever", Package: pkg, Test: "TestGuardLetsTheLeaseOfAWriterThatCommitsNothingFallSilent", Says: "one in two TTLs",
		},
		{
			Name: "a taken epoch opens the writer", Room: room, File: "pkg/dr/failover/guard.go",
			Old: "return l.Holder == g.cfg.Region && (l.Execution == \"\" || l.Rev > l.TakenRev || g.told == l.Epoch)", New: "return l.Holder == g.cfg.Region",
			Why: "a member that has not rejoined takes itself for the writer", Package: pkg, Test: "TestGuardKeepsAServerClosedThatMayNotBeOpen", Says: "the epoch alone does not make it the writer",
		},
		{
			Name: "a frozen writer is not cut off", Room: room, File: "pkg/dr/failover/fence.go",
			Old: "if g.isolate(ctx, epoch) && behind {", New: "if behind {",
			Why: "it thaws as a second writer", Package: pkg, Test: "TestGuardCutsAFrozenWriterOff", Says: "the writer is cut off",
		},
		{
			Name: "the watchdog is kept quiet without a lease", Room: room, File: "pkg/dr/failover/watchdog.go",
			Old: "if g.cfg.Policy.Watchdog && (late || g.inherited) {", New: "if g.cfg.Policy.Watchdog && late && g.inherited {",
			Why: "the database never fences itself", Package: pkg, Test: "TestWatchdogIsNotKeptQuietWithoutALease", Says: "the database closes itself",
		},
		{
			Name: "the RPO guard reopens with writes still on their way", Room: room, File: "pkg/dr/failover/rpoguard.go",
			Old: "drained := g.fence.byRPO && g.fence.acked && (got.Seq >= g.committed || known && g.overtaken(got.Seq))", New: "drained := g.fence.byRPO && g.fence.acked",
			Why: "what was acknowledged before the cut is no longer counted", Package: pkg, Test: "TestRPOGuardWaitsForEverythingToArrive", Says: "what it has acknowledged has not arrived",
		},
		{
			Name: "any late heartbeat counts as the last one", Room: room, File: "pkg/dr/failover/rpoguard.go",
			Old: "(answered.IsZero() || answered.After(last))", New: "(true || answered.After(last))",
			Why: "a stream that stands still opens the writer again (found by this table, 2026-11-23)", Package: pkg, Test: "TestRPOGuardWaitsForEverythingToArrive", Says: "what it has acknowledged has not arrived",
		},
		{
			Name: "between two guards nobody keeps the RPO", Room: room, File: "pkg/dr/failover/rear.go",
			Old: "guarded := open && p.RPOGuard && !g.safeAt.IsZero()", New: "guarded := false && p.RPOGuard",
			Why: "a cut right after a handover costs a lease of writes (found by 150 runs of one game day, 2026-11-23)", Package: pkg, Test: "TestARearGuardKeepsTheRPO", Says: "the limit holds between two guards",
		},
		{
			Name: "two guards beat into one row", Room: room, File: "pkg/dr/failover/watchdog.go",
			Old: "return g.cfg.Region + behindRow", New: "return g.cfg.Region",
			Why: "each takes the other's beats for a lag, and closes a healthy writer", Package: pkg, Test: "TestARearGuardKeepsTheRPO", Says: "neither takes the other's beats for a lag",
		},
		{
			Name: "the observer counts from before it looked", Room: room, File: "pkg/dr/failover/watch.go",
			Old: "case err == nil:\n\t\t\tw.Observe(lease, time.Now())", New: "case err == nil:\n\t\t\tw.Observe(lease, read)",
			Why: "a renewal granted during the read is older than it is", Package: pkg, Test: "TestWatchCountsFromAfterItLooked", Says: "have been silent for longer",
		},
		{
			Name: "an older answer replaces a newer one", Room: room, File: "pkg/dr/failover/watch.go",
			Old: "if w.known && l.Rev < w.lease.Rev {", New: "if w.known && l.Epoch > w.lease.Epoch+9 {",
			Why: "a late answer resets the silence", Package: pkg, Test: "TestWatchForgetsNothingForALateAnswer", Says: "the silence goes on",
		},
	}
}
