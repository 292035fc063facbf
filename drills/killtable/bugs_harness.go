package killtable

// harnessBugs are those of the measurement and its judge.
func harnessBugs() []Bug {
	const room, measure, drill = "harness", "./drills/measure", "./drills/drill"
	return []Bug{
		{
			Name: "timeouts are counted as lost", Room: room, File: "drills/measure/loss.go",
			Old: "if op.Outcome == workload.OK {\n\t\t\tl.acked", New: "if op.Outcome == workload.OK || op.Outcome == workload.Info {\n\t\t\tl.acked",
			Why: "counts writes as lost that were never acknowledged", Package: measure, Test: "TestMeasureFailover", Says: "expected: 300ms",
		},
		{
			Name: "dual acknowledgements are not counted", Room: room, File: "drills/measure/measure.go",
			Old: "\tres.Dual = l.dual()\n", New: "",
			Why: "split brain passes", Package: measure, Test: "TestDualAcknowledged", Says: "expected: 2",
		},
		{
			Name: "split brain is forgiven", Room: room, File: "drills/measure/dual.go",
			Old: "if n > 0 {\n\t\t\tj.fail(\"split brain", New: "if n > r.Writes.OK {\n\t\t\tj.fail(\"split brain",
			Why: "split brain passes", Package: measure, Test: "TestJudge", Says: "--- FAIL: TestJudge/split_brain",
		},
		{
			Name: "RTO ends with the first ok", Room: room, File: "drills/measure/outage.go",
			Old: "if w.sustained(ok[next].End) {", New: "if w.end >= 0 {",
			Why: "one lucky write ends an outage of minutes", Package: measure, Test: "TestRTO", Says: "Max difference between 20.02s and 12.02s allowed",
		},
		{
			Name: "RTO begins when the write was sent", Room: room, File: "drills/measure/outage.go",
			Old: "o := Outage{Start: op.Intended, End: max(w.end, op.Intended), Capped: true}", New: "o := Outage{Start: op.Start, End: max(w.end, op.Intended), Capped: true}",
			Why: "coordinated omission: a client that hangs shortens the outage", Package: measure, Test: "TestRTO", Says: "--- FAIL: TestRTO/a_write_that_had_to_wait_began_when_it_was_meant_to",
		},
		{
			Name: "a fault without effect is accepted", Room: room, File: "drills/measure/judge.go",
			Old: "\tcase r.Effective == Unknown:\n\t\tj.doubt(", New: "\tcase false:\n\t\tj.doubt(",
			Why: "a drill passes in which nothing broke", Package: measure, Test: "TestJudge", Says: "--- FAIL: TestJudge/fault_without_effect",
		},
		{
			Name: "inconclusive is green", Room: room, File: "drills/measure/judge.go",
			Old: "\tcase len(j.doubts) > 0:\n\t\tv.Outcome = Inconclusive\n", New: "",
			Why: "a drill that shows nothing passes", Package: measure, Test: "TestJudge", Says: `expected: "Inconclusive"`,
		},
		{
			Name: "a closed loop", Room: room, File: "drills/workload/load.go",
			Old: "\tctx, cancel := context.WithTimeout(withIntended(context.WithoutCancel(ctx), op.Intended), l.Timeout)\n\tdefer cancel()\n\top.Start = l.Clock()\n",
			New: "\tctx, cancel := context.WithTimeout(withIntended(context.WithoutCancel(ctx), op.Intended), l.Timeout)\n\tdefer cancel()\n\top.Start = l.Clock()\n\top.Intended = op.Start\n",
			Why: "what waited for a slot or for the machine is not counted as waiting", Package: "./drills/workload", Test: "TestLoadCountsFromWhenAWriteWasMeant", Says: "whenever it started",
		},
		{
			Name: "the next write waits for the last one", Room: room, File: "drills/workload/load.go",
			Old: "\t\t\twriters.Go(func() {\n\t\t\t\tdefer func() { <-slots }()\n\t\t\t\tr.add(l.write(ctx, op))\n\t\t\t})\n",
			New: "\t\t\tr.add(l.write(ctx, op))\n\t\t\t<-slots\n",
			Why: "one write stands for a whole outage", Package: "./drills/workload", Test: "TestLoadSeesTheWholeOutage", Says: "an outage must not delay the next write",
		},
		{
			Name: "a timeout is a failure", Room: room, File: "drills/workload/classify.go",
			Old: "\t\treturn Fail\n\t}\n\treturn Info\n}", New: "\t\treturn Fail\n\t}\n\treturn Fail\n}",
			Why: "a write that is there was reported as absent", Package: "./drills/workload", Test: "TestLoadClassifies", Says: `expected: "info"`,
		},
		{
			Name: "the heal is forgotten when the drill is interrupted", Room: room, File: "drills/fault/set.go",
			Old: "ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.timeout)", New: "if ctx.Err() != nil {\n\t\treturn nil\n\t}\n\tctx, cancel := context.WithTimeout(ctx, s.timeout)",
			Why: "the next drill begins in a broken world", Package: "./drills/fault", Test: "TestSetHealsAfterCancellation", Says: "Should be false",
		},
		{
			Name: "the heal is forgotten when the drill fails", Room: room, File: "drills/drill/run.go",
			Old: "\t\td.stopSeeing()\n\t\terr = errors.Join(err, d.faults.Heal(ctx))\n", New: "\t\td.stopSeeing()\n",
			Why: "the next drill begins in a broken world", Package: drill, Test: "TestEveryFaultIsHealedAndTheWorldClosed", Says: "every fault was healed",
		},
		{
			Name: "the effect is marked without a probe", Room: room, File: "drills/drill/run.go",
			Old: "\tif err != nil {\n\t\tif ctx.Err() != nil {\n\t\t\treturn ctx.Err()\n\t\t}\n\t\treturn nil // no mark: the verdict will say that nothing was proven\n\t}\n\td.add(", New: "\tif err != nil {\n\t\td.mark(measure.MarkEffective, s.Fault.Region, s.Fault.String())\n\t\treturn nil\n\t}\n\td.add(",
			Why: "a drill passes in which nothing broke", Package: drill, Test: "TestTheHarnessSees", Says: "--- FAIL: TestTheHarnessSees/a_fault_that_does_nothing",
		},
		{
			Name: "a saved verdict stands in for the history", Room: room, File: "drills/report/load.go",
			Old: "\treturn r, measure.Judge(r, s.Meta.Expect)\n",
			New: "\tif s.Result != nil {\n\t\treturn r, measure.Verdict{Outcome: s.Result.Verdict, Reasons: s.Result.Reasons}\n\t}\n\treturn r, measure.Judge(r, s.Meta.Expect)\n",
			Why: "what passed once passes by the rules of today", Package: "./drills/report", Test: "TestSavedRunMeasuresTheSame", Says: "expected: measure.Verdict",
		},
		{
			Name: "a run's folder is used again", Room: room, File: "drills/report/report.go",
			Old: "case !errors.Is(err, os.ErrExist):", New: "case errors.Is(err, os.ErrExist):\n\t\t\treturn &Folder{path: path, meta: m}, nil\n\t\tdefault:",
			Why: "an old history under a new verdict", Package: "./drills/report", Test: "TestFolder", Says: "a folder is never reused",
		},
		{
			Name: "a drill is answered from the test cache", Room: room, File: "drills/gameday_test.go",
			Old: "\tneverCached(t)\n\tsettings, err", New: "\tsettings, err",
			Why: "a drill that did not run passes", Package: "./drills", Test: "TestNoDrillIsAnsweredFromTheCache", Says: "the drill did not run",
		},
	}
}
