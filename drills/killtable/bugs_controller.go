package killtable

// controllerBugs are those of the controller, which moves the writer.
func controllerBugs() []Bug {
	const room, pkg = "controller", "./pkg/dr/failover"
	return []Bug{
		{
			Name: "no fence", Room: room, File: "pkg/dr/failover/effects.go",
			Old: "\tcase EpochTaken:\n\t\treturn c.proveFence(ctx, x)\n",
			New: "\tcase EpochTaken:\n\t\treturn Event{Kind: EvFenceProven, Proof: ProofExpired}\n",
			Why: "promotes while the old writer still acknowledges", Package: pkg, Test: "TestProofOfTheFence", Says: `"2s" is not greater than or equal to "6.25s"`,
		},
		{
			Name: "fence after promotion", Room: room, File: "pkg/dr/failover/effects.go",
			Old: "\tcase EpochTaken:\n\t\treturn c.proveFence(ctx, x)\n",
			New: "\tcase EpochTaken:\n\t\tif e := c.promote(ctx, x); e.Kind != EvPromoted {\n\t\t\treturn e\n\t\t}\n\t\treturn c.proveFence(ctx, x)\n",
			Why: "two writers until the fence is proven", Package: pkg, Test: "TestProofOfTheFence", Says: `"2s" is not greater than or equal to "6.25s"`,
		},
		{
			Name: "the fence waits without drift", Room: room, File: "pkg/dr/failover/fence.go",
			Old: "needed := c.cfg.Policy.LeaseTTL + c.cfg.Policy.LeaseDrift - x.Unchanged",
			New: "needed := c.cfg.Policy.LeaseTTL - x.Unchanged",
			Why: "an observer whose clock runs fast promotes before the holder has closed", Package: pkg, Test: "TestProofOfTheFence", Says: `is not greater than or equal to "6.25s"`,
		},
		{
			Name: "an acknowledged fence without its revision", Room: room, File: "pkg/dr/failover/fence.go",
			Old: "x.TakenRev > 0 && h.FencedEpoch+1 == x.Epoch && h.FencedRev+1 == x.TakenRev",
			New: "x.TakenRev > 0 && h.FencedEpoch+1 == x.Epoch",
			Why: "believes a fence that was lifted again by a later renewal", Package: pkg, Test: "TestProofOfTheFence", Says: `expected: "lease-expired"`,
		},
		{
			Name: "a renewal since the verdict is overlooked", Room: room, File: "pkg/dr/failover/take.go",
			Old: "case x.Mode == ModeFailover && l.Served != x.Evidence.LeaseServed:",
			New: "case false:",
			Why: "takes the epoch from a Region that lives", Package: pkg, Test: "TestARegionThatRenewedSinceTheVerdictLives", Says: `expected: "Aborted"`,
		},
		{
			Name: "a switchover is sent as a failover", Room: room, File: "pkg/dr/failover/promote.go",
			Old: "if x.Mode == ModeSwitchover {\n\t\task = c.cfg.Promoter.Switchover", New: "if false {\n\t\task = c.cfg.Promoter.Switchover",
			Why: "loses writes in a planned move (AllowDataLoss)", Package: pkg, Test: "TestASwitchoverAsksForNoFailover", Says: "AllowDataLoss in a planned move",
		},
		{
			Name: "a promotion is asked for again", Room: room, File: "pkg/dr/failover/promote.go",
			Old: "\tcase now.MovingTo == x.To:\n\t\to.elsewhere = time.Time{}\n\t\treturn Event{}, again\n\tcase now.MovingTo != \"\":", New: "\tcase now.MovingTo != \"\" && now.MovingTo != x.To:",
			Why: "a second request while the first is under way", Package: pkg, Test: "TestAPromotionIsAskedForOnce", Says: "asked once",
		},
		{
			Name: "redirect is a hook", Room: room, File: "pkg/dr/failover/effects.go",
			Old: "\tcase Verified:\n\t\treturn c.redirect(ctx, x)\n",
			New: "\tcase Verified:\n\t\tgo c.redirect(ctx, x)\n\t\treturn Event{Kind: EvRedirected}\n",
			Why: "settles while clients still go to the old writer", Package: pkg, Test: "TestFault13DoneMeansThatAWriteHasLandedThere", Says: `expected: []dr.Region{"us-east-1", "us-east-1", "us-east-1", "us-west-2"}`,
		},
		{
			Name: "an HTTP 200 is success", Room: room, File: "pkg/dr/failover/promote.go",
			Old: "\tif err != nil {\n\t\treturn Event{}, err\n\t}\n\treturn Event{Kind: EvVerified,",
			New: "\t_ = err\n\treturn Event{Kind: EvVerified,",
			Why: "announces a writer that commits nothing", Package: pkg, Test: "TestStuck", Says: "--- FAIL: TestStuck/verify-stuck",
		},
		{
			Name: "the epoch is taken before the intent is journalled", Room: room, File: "pkg/dr/failover/controller.go",
			Old: "\t\tbegun, err := c.open(ctx, &next, e.Kind)\n", New: "\t\tif next.State == Confirmed {\n\t\t\tc.takeEpoch(ctx, next)\n\t\t}\n\t\tbegun, err := c.open(ctx, &next, e.Kind)\n",
			Why: "a crash in between leaves an effect that no record explains", Package: pkg, Test: "TestARegionThatRenewedSinceTheVerdictLives", Says: "--- FAIL: TestARegionThatRenewedSinceTheVerdictLives/between_the_begin_and_the_take",
		},
		{
			Name: "a switchover begins beside a dead monitor", Room: room, File: "pkg/dr/failover/controller.go",
			Old: "c.cfg.Topology.Peer(c.cfg.Region), c.renewed, func", New: "c.cfg.Topology.Peer(c.cfg.Region), func(context.Context, Execution) error { return nil }, func",
			Why: "no monitor can confirm its fence (found by the model, 2026-11-23)", Package: pkg, Test: "TestASwitchoverNeedsAMonitorBesideTheWriter", Says: "it does not begin",
		},
		{
			Name: "consent to a failover keeps the lease that ran out", Room: room, File: "pkg/dr/failover/step.go",
			Old: "if x.Proof == ProofExpired {", New: "if x.Proof == \"\" {",
			Why: "the journal calls proven what a person was asked to see to", Package: pkg, Test: "TestASwitchoverNeedsAMonitorBesideTheWriter", Says: "a person has confirmed it",
		},
		{
			Name: "an open execution is not joined", Room: room, File: "pkg/dr/failover/controller.go",
			Old: "if err == nil && !last.Execution.State.Ended() && last.Execution.State != Steady {", New: "if err == nil && !last.Execution.State.Ended() && last.Execution.State != Steady && last.Execution.To != c.cfg.Region {",
			Why: "a doubled trigger opens a second execution", Package: pkg, Test: "TestTwoControllersAtOnceAreOne", Says: "one execution",
		},
		{
			Name: "the gate is asked too late", Room: room, File: "pkg/dr/failover/step.go",
			Old: "\t\tif codes, why := question(p, x); len(codes) > 0 {\n\t\t\treturn ask(x, Confirmed, codes, why), nil\n\t\t}\n", New: "",
			Why: "a Region that comes back while a person thinks has lost its lease", Package: pkg, Test: "TestAQuestionIsPutBeforeTheEpochIsTaken", Says: `expected: "AwaitingApproval"`,
		},
		{
			Name: "an unknown lag counts as none", Room: room, File: "pkg/dr/failover/step.go",
			Old: "case !ev.LagKnown:", New: "case !ev.LagKnown && ev.Lag > p.MaxDataLoss:",
			Why: "an unknown loss passes the gate", Package: pkg, Test: "TestOperator", Says: "the question",
		},
		{
			Name: "an old lag passes the gate", Room: room, File: "pkg/dr/failover/step.go",
			Old: "case ev.LagAge > p.MaxLagAge:", New: "case ev.LagAge > p.FailoverWindow:",
			Why: "the lag of a stream that broke long before the writer", Package: pkg, Test: "TestAQuestionIsPutBeforeTheEpochIsTaken", Says: "--- FAIL: TestAQuestionIsPutBeforeTheEpochIsTaken/lag-stale",
		},
		{
			Name: "a dead monitor's lease proves a fence", Room: room, File: "pkg/dr/failover/step.go",
			Old: "add(ev.MonitorDiedFirst, CodeNoFenceProof", New: "add(ev.MonitorDiedFirst && !ev.Witness, CodeNoFenceProof",
			Why: "promotes beside a writer that no monitor fences", Package: pkg, Test: "TestAQuestionIsPutBeforeTheEpochIsTaken", Says: "--- FAIL: TestAQuestionIsPutBeforeTheEpochIsTaken/no-fence-proof",
		},
		{
			Name: "an acknowledgement for any epoch", Room: room, File: "pkg/dr/failover/step.go",
			Old: "if e.Ack == nil || e.Ack.Execution != x.ID || e.Ack.Question != x.Question.ID {", New: "if e.Ack == nil {",
			Why: "last month's consent moves the writer today", Package: pkg, Test: "TestAQuestionIsPutBeforeTheEpochIsTaken", Says: "--- FAIL: TestAQuestionIsPutBeforeTheEpochIsTaken/lag-unknown/an_acknowledgement_for_another_question_is_refused",
		},
		{
			Name: "a promise is not waited out", Room: room, File: "pkg/dr/failover/fence.go",
			Old: "\t\t\tleft = max(left, promised)\n", New: "\t\t\t_ = promised\n",
			Why: "promotes while this Region's promise keeps the old writer open", Package: pkg, Test: "TestAPromiseIsWaitedOut", Says: "--- FAIL: TestAPromiseIsWaitedOut/sent_a_moment_ago",
		},
		{
			Name: "a restart forgets what was promised", Room: room, File: "pkg/dr/failover/promise.go",
			Old: "h.Abstains && sent.Before(p.sent)", New: "sent.Before(p.sent)",
			Why: "a monitor that starts anew states a silence that it has not kept", Package: pkg, Test: "TestASuccessorKeepsThePromisesOfItsPredecessor", Says: "--- FAIL: TestASuccessorKeepsThePromisesOfItsPredecessor/one_that_promised_until_it_was_lost",
		},
		{
			Name: "a promise that was not answered counts as kept", Room: room, File: "pkg/dr/failover/promise.go",
			Old: "\tp.sent = time.Now()\n\treturn p.generation, true", New: "\tp.sent, p.kept = time.Now(), n\n\treturn p.generation, true",
			Why: "a writer whose last promise was lost is closed while the lease store is away", Package: pkg, Test: "TestAHeartbeatWriteIsPromisedForOnce", Says: "--- FAIL: TestAHeartbeatWriteIsPromisedForOnce/and_until_an_answer_says_so",
		},
		{
			Name: "a consent by epoch", Room: room, File: "pkg/dr/failover/requests.go",
			Old: "case a.Execution != x.ID:", New: "case a.Execution[:10] != x.ID[:10]:",
			Why: "the answer to an execution that was aborted moves the writer in the next one of that epoch", Package: pkg, Test: "TestStaleConsent", Says: "--- FAIL: TestStaleConsent/a_late_answer",
		},
		{
			Name: "a consent is used twice", Room: room, File: "pkg/dr/failover/requests.go",
			Old: "case x.Ack != nil && x.Ack.Question == a.Question:", New: "case x.Ack != nil && x.Ack.Question == a.Question+\"0\":",
			Why: "a person is not told that the answer was used", Package: pkg, Test: "TestStaleConsent", Says: "--- FAIL: TestStaleConsent/a_consent_is_used_once",
		},
		{
			Name: "the preflight is skipped", Room: room, File: "pkg/dr/failover/take.go",
			Old: "\t\tif stopped {\n", New: "\t\tif stopped && verdict.Kind != EvStuck {\n",
			Why: "fences the old writer for a target that can't be promoted", Package: pkg, Test: "TestTargetNotReady", Says: "--- FAIL: TestTargetNotReady",
		},
		{
			Name: "a promotion without its precondition", Room: room, File: "pkg/dr/failover/promote.go",
			Old: "\tcase now.Writer != x.From:\n\t\treturn Event{Kind: EvStuck, Code: CodeWriterUnknown, Detail: fmt.Sprintf(\"the control plane names the writer %s, and not %s: nothing", New: "\tcase false:\n\t\treturn Event{Kind: EvStuck, Code: CodeWriterUnknown, Detail: fmt.Sprintf(\"the control plane names the writer %s, and not %s: nothing",
			Why: "moves a writer, with loss, that is in a third Region", Package: pkg, Test: "TestMovedFromOutside", Says: "--- FAIL: TestMovedFromOutside/to_a_Region_that_is_no_member,_in_LossAccepted",
		},
		{
			Name: "a message that failed once is dropped", Room: room, File: "pkg/dr/failover/message.go",
			Old: "\t\t\tc.problem(\"notify\", err)\n\t\t}\n\t\treturn x, err\n", New: "\t\t\tc.problem(\"notify\", err)\n\t\t}\n",
			Why: "a person is asked and never hears of it", Package: pkg, Test: "TestMessages", Says: "--- FAIL: TestMessages/a_question_that_could_not_be_told_is_told_later",
		},
		{
			Name: "a living lease is adopted", Room: room, File: "pkg/dr/failover/take.go",
			Old: "c.silence(l) < c.cfg.Policy.LeaseTTL+c.cfg.Policy.LeaseDrift", New: "c.silence(l) < 0",
			Why: "a control plane that is out of date ends the holder's lease", Package: pkg, Test: "TestALivingLeaseIsNotAdopted", Says: "--- FAIL: TestALivingLeaseIsNotAdopted",
		},
		{
			Name: "an abort after the epoch was taken", Room: room, File: "pkg/dr/failover/step.go",
			Old: "\t\tif before == AwaitingApproval && x.Asked != Confirmed {\n\t\t\t// The epoch", New: "\t\tif false {\n\t\t\t// The epoch",
			Why: "the old Region stays fenced and the new one is not promoted", Package: pkg, Test: "TestTheWayOut", Says: "--- FAIL: TestTheWayOut",
		},
		{
			Name: "a pause without an end", Room: room, File: "pkg/dr/failover/state.go",
			Old: "return p != nil && now.Before(p.Until)", New: "return p != nil",
			Why: "the automation stays off after the maintenance", Package: pkg, Test: "TestPause", Says: "--- FAIL: TestPause/no_execution_begins_by_itself",
		},
		{
			Name: "a pause beside an execution that begins is lost", Room: room, File: "pkg/dr/failover/requests.go",
			Old: "if now.Execution.ID == x.ID || ", New: "if now.Execution.ID != \"\" || ",
			Why: "a person was told that nothing begins by itself, and it does", Package: pkg, Test: "TestAPauseBesideAnExecutionThatBegins", Says: "--- FAIL: TestAPauseBesideAnExecutionThatBegins/that_comes_between_the_look",
		},
		{
			Name: "a pause stops a person", Room: room, File: "pkg/dr/failover/controller.go",
			Old: "\tif c.cfg.Origin.By != \"\" {\n\t\treturn nil\n\t}\n", New: "",
			Why: "nothing fails over a lost Region while the automation rests", Package: pkg, Test: "TestAPersonsFailover", Says: "--- FAIL: TestAPersonsFailover/in_a_pause",
		},
		{
			Name: "the lease goes back to a Region without a monitor", Room: room, File: "pkg/dr/failover/giveback.go",
			Old: "\t\tif !news {\n", New: "\t\tif !news && x.Seq < 0 {\n",
			Why: "nothing opens the writer there", Package: pkg, Test: "TestReturn", Says: "--- FAIL: TestReturn/waits_for_a_monitor",
		},
		{
			Name: "a policy that only observes acts", Room: room, File: "pkg/dr/failover/controller.go",
			Old: "if c.cfg.Policy.Automatic == dr.AutomaticNever {", New: "if c.cfg.Policy.Automatic == dr.AutomaticNever && last.Pause != nil {",
			Why: "the first fault moves a writer that was to be left alone", Package: pkg, Test: "TestAutomaticNever", Says: "--- FAIL: TestAutomaticNever/the_loss_of_a_Region",
		},
	}
}
