package killtable

// evidenceBugs are those of the evaluation of evidence.
func evidenceBugs() []Bug {
	const room, health = "evidence", "./pkg/dr/health"
	return []Bug{
		{
			Name: "one vantage decides", Room: room, File: "pkg/dr/health/evaluate.go",
			Old: "if len(v.Vantages) < p.MinVantages {", New: "if len(v.Vantages) < 1 {",
			Why: "a broken peering looks like a dead Region", Package: health, Test: "TestImpairedNeedsEveryProof", Says: "--- FAIL: TestImpairedNeedsEveryProof/one_vantage_never_decides",
		},
		{
			Name: "one family decides", Room: room, File: "pkg/dr/health/evaluate.go",
			Old: "if len(v.Dark) < 2 {", New: "if len(v.Dark) < 1 {",
			Why: "one kind of question that fails moves the writer", Package: health, Test: "TestImpairedNeedsEveryProof", Says: "--- FAIL: TestImpairedNeedsEveryProof/one_family_never_decides",
		},
		{
			Name: "unknown is dead", Room: room, File: "pkg/dr/health/evaluate.go",
			Old: "for i > 0 && rounds[i-1].Answer(f) == Dead {", New: "for i > 0 && rounds[i-1].Answer(f) != Alive {",
			Why: "not being told counts as proof", Package: health, Test: "TestImpairedNeedsEveryProof", Says: "--- FAIL: TestImpairedNeedsEveryProof/unknown_is_never_dead",
		},
		{
			Name: "a blind vantage is believed", Room: room, File: "pkg/dr/health/counted.go",
			Old: "if o.Answer == Dead && r.SelfCheck != Alive && (o.Vantage == w.Vantage || o.Vantage == Store) {", New: "if o.Answer == Dead && r.SelfCheck == Dead && o.Vantage == Store {",
			Why: "the Region that is cut off fails over from the one that is not", Package: health, Test: "TestImpairedNeedsEveryProof", Says: "--- FAIL: TestImpairedNeedsEveryProof/a_vantage_that_is_blind_is_muted",
		},
		{
			Name: "old answers count", Room: room, File: "pkg/dr/health/counted.go",
			Old: "if r.At.Sub(o.At) > maxAge || w.Refuses(o, now) != \"\" {", New: "if w.Refuses(o, now) != \"\" {",
			Why: "a report from before the repair moves the writer after it", Package: health, Test: "TestImpairedNeedsEveryProof", Says: "--- FAIL: TestImpairedNeedsEveryProof/old_answers_are_void",
		},
		{
			Name: "a Region that serves is moved", Room: room, File: "pkg/dr/health/evaluate.go",
			Old: "\tif v.Serving {\n\t\tm = append(m, \"an end of the proof that writes are served\")\n\t}\n", New: "",
			Why: "moves a writer that works", Package: health, Test: "TestImpairedNeedsEveryProof", Says: "--- FAIL: TestImpairedNeedsEveryProof/a_committed_write_of_another_prober_blocks",
		},
		{
			Name: "the lag of after the fault is taken", Room: room, File: "pkg/dr/health/evaluate.go",
			Old: "if o.Lag == nil || (!stopped.IsZero() && o.Lag.At.After(stopped)) {", New: "if o.Lag == nil {",
			Why: "the gate sees a lag of nothing, because nothing is written any more", Package: health, Test: "TestLagIsTheLastBeforeTheWriterStopped", Says: "expected: 80ms",
		},
		{
			Name: "evidence about another Region counts", Room: room, File: "pkg/dr/health/counted.go",
			Old: "case o.Subject != w.Subject:", New: "case o.Subject == \"\":",
			Why: "a prober of another database moves this one's writer, or keeps it", Package: health, Test: "TestWhatIsWrongIsNeitherDarkNorAlive", Says: "--- FAIL: TestWhatIsWrongIsNeitherDarkNorAlive/another_database",
		},
		{
			Name: "a Region's observation of itself counts", Room: room, File: "pkg/dr/health/counted.go",
			Old: "case o.Vantage == w.Subject:", New: "case false:",
			Why: "the Region that is judged is its own second vantage", Package: health, Test: "TestWhatIsWrongIsNeitherDarkNorAlive", Says: "--- FAIL: TestWhatIsWrongIsNeitherDarkNorAlive/itself",
		},
		{
			Name: "a number that is not known is dead", Room: room, File: "pkg/dr/internal/mysqlerr/numbers.go",
			Old: "return failover.ReplyAnswered, \"refused\"", New: "return failover.ReplyRefusesWrites, \"refused\"",
			Why: "an error of one statement moves the writer", Package: "./pkg/dr/internal/mysqlerr", Test: "TestEveryNumber", Says: "Permission denied): one file",
		},
		{
			Name: "any option of the server is read-only", Room: room, File: "pkg/dr/internal/mysqlerr/numbers.go",
			Old: "if strings.Contains(text, \"read-only\") || strings.Contains(text, \"read_only\") {", New: "if n == 1290 {",
			Why: "a refused statement passes for a closed writer", Package: "./pkg/dr/internal/mysqlerr", Test: "TestEveryNumber", Says: "clients write",
		},
		{
			Name: "one spelling of disk full is missing", Room: room, File: "pkg/dr/internal/mysqlerr/numbers.go",
			Old: "if why := refuses[n]; why != \"\" {", New: "if why := refuses[n]; why != \"\" && n != 3675 {",
			Why: "a writer that commits nothing stays the writer", Package: "./pkg/dr/internal/mysqlerr", Test: "TestEveryNumber", Says: "disk full",
		},
		{
			Name: "a short silence of the lease is dead at once", Room: room, File: "pkg/dr/failover/evidence.go",
			Old: "case silent >= b.policy.SilentAfter():", New: "case silent >= b.policy.RenewInterval:",
			Why: "one lost renewal is evidence", Package: "./pkg/dr/failover", Test: "TestLeaseProberForgivesALostRenewal", Says: "one lost call is forgiven",
		},
		{
			Name: "a report's number is its age", Room: room, File: "pkg/dr/failover/evidence.go",
			Old: "b.seen[h.Region].Observe(h.Seq, at)", New: "(lease.Still[uint64]{}).Observe(h.Seq, at)",
			Why: "the last report of a dead Region stays fresh for ever", Package: "./pkg/dr/failover", Test: "TestLeaseProberDropsTheLastReportOfADeadRegion", Says: "its last report is older than two samples",
		},
		{
			Name: "a blind renewal counts as service", Room: room, File: "pkg/dr/lease/observer.go",
			Old: "service{r.Epoch, r.Served}", New: "service{r.Epoch, r.Rev}",
			Why: "a server that commits nothing is never failed over", Package: "./pkg/dr/failover", Test: "TestABlindRenewalIsNoService", Says: "--- FAIL: TestABlindRenewalIsNoService",
		},
		{
			Name: "a stranger's report counts", Room: room, File: "pkg/dr/failover/members.go",
			Old: "if slices.Contains(known, h.Region) {", New: "if slices.Contains(known, h.Region) || h.Seq > 0 {",
			Why: "a Region of another topology is the second vantage, and its word proves a silence", Package: "./pkg/dr/failover", Test: "TestAStrangersReportCountsForNothing", Says: "--- FAIL: TestAStrangersReportCountsForNothing",
		},
	}
}
