package killtable

// functionBugs are those of the Lambdas.
func functionBugs() []Bug {
	const room, monitorlease, invoker = "functions", "./lambdas/function/monitorlease", "./lambdas/function/invoker"
	return []Bug{
		{
			Name: "two monitors of a Region at once", Room: room, File: "lambdas/function/monitorlease/decide.go",
			Old: "case t.Holder != v.Me && v.Unchanged >= c.TTL+c.Drift:", New: "case t.Holder != v.Me && v.Unchanged >= c.TTL-c.Margin:",
			Why: "a monitor lease is taken that its holder may still renew", Package: monitorlease, Test: "TestDecide", Says: `expected: "claim"`,
		},
		{
			Name: "a waiter takes over from a process that works", Room: room, File: "lambdas/function/monitorlease/decide.go",
			Old: "case t.Released && (t.Next == \"\" || t.Next == v.Me):", New: "case t.Next == \"\" || t.Next == v.Me:",
			Why: "two monitors renew and fence beside each other", Package: monitorlease, Test: "TestDecide", Says: `expected: "wait"`,
		},
		{
			Name: "the invoker's error is swallowed", Room: room, File: "lambdas/function/invoker/invoker.go",
			Old: "d.asked, d.failed = time.Time{}, err", New: "d.asked = time.Time{}",
			Why: "a trigger that can't be invoked is noticed when it is needed", Package: invoker, Test: "TestWhatFailedIsToldAndAskedAgainAtOnce", Says: "An error is expected but got nil.",
		},
		{
			Name: "the trigger's own failure is success", Room: room, File: "lambdas/function/invoker/invoker.go",
			Old: "case out.FunctionError != nil:", New: "case out.StatusCode != 200:",
			Why: "an HTTP 200 carries a function's error", Package: invoker, Test: "TestWhatFailedIsToldAndAskedAgainAtOnce", Says: "--- FAIL: TestWhatFailedIsToldAndAskedAgainAtOnce/the_trigger_fails",
		},
		{
			Name: "every invocation drives", Room: room, File: "lambdas/function/trigger/mark.go",
			Old: "		return yield\n", New: "		return look\n",
			Why: "the automation takes the places that people need", Package: "./lambdas/function/trigger", Test: "TestOneInvocationDrives", Says: "--- FAIL: TestOneInvocationDrives",
		},
		{
			Name: "a dead driver's place stays taken", Room: room, File: "lambdas/function/trigger/mark.go",
			Old: "	case w.seen.Unchanged(now) >= deadAfter:\n", New: "	case w.seen.Unchanged(now) >= 10000*deadAfter:\n",
			Why: "no invocation is known to drive any more", Package: "./lambdas/function/trigger", Test: "TestADeadDriversPlaceIsTaken", Says: "--- FAIL: TestADeadDriversPlaceIsTaken",
		},
		{
			Name: "a full trigger is a busy trigger", Room: room, File: "lambdas/function/invoker/invoker.go",
			Old: "	switch {\n	case err != nil:", New: "	switch {\n	case errors.As(err, new(*types.TooManyRequestsException)):\n		return nil\n	case err != nil:",
			Why: "no trigger acts, and no message says so", Package: invoker, Test: "TestWhatFailedIsToldAndAskedAgainAtOnce", Says: "--- FAIL: TestWhatFailedIsToldAndAskedAgainAtOnce/the_trigger's_own_concurrency_is_all",
		},
		{
			Name: "a trigger that has died is not asked again", Room: room, File: "pkg/dr/failover/follow.go",
			Old: "\tcase now.Sub(f.since) >= stalled:\n", New: "\tcase now.Sub(f.since) >= 100*stalled:\n",
			Why: "an execution stands open for ever", Package: "./pkg/dr/failover", Test: "TestATriggerThatDiesIsAskedAgain", Says: "settled",
		},
		{
			Name: "an error quotes the secret", Room: room, File: "lambdas/internal/boot/login.go",
			Old: "holds no JSON object with a username and a password: write it as module database/global does\", l.arn)", New: "holds %q: write it as module database/global does\", l.arn, aws.ToString(out.SecretString))",
			Why: "a password stands in the log", Package: "./lambdas/internal/boot", Test: "TestNoErrorQuotesASecret", Says: "--- FAIL: TestNoErrorQuotesASecret",
		},
	}
}
