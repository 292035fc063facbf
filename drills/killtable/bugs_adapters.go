package killtable

// adapterBugs are those of the adapters of AWS and MySQL.
func adapterBugs() []Bug {
	const room, aurora, dynamo = "adapters", "./pkg/dr/aurora", "./pkg/dr/dynamo"
	return []Bug{
		{
			Name: "a lag of NULL is 0", Room: room, File: "pkg/dr/aurora/lag.go",
			Old: "if err != nil || !value.Valid || !age.Valid || !(value.V >= -1e6) || math.IsNaN(age.V) {", New: "if err != nil || !(value.V >= -1e6) || math.IsNaN(age.V) {",
			Why: "the gate passes a loss that was not measured", Package: aurora, Test: "TestLagOnAurora", Says: "Expected nil, but got: &health.Lag{Value:0",
		},
		{
			Name: "every fence ends sessions", Room: room, File: "pkg/dr/aurora/fence.go",
			Old: "if err != nil || !s.unclean.Load() {", New: "if err != nil {",
			Why: "clients of a server that is closed already are disconnected in cycles", Package: aurora, Test: "TestSessionsEndOnceForEachClosing", Says: "--- FAIL: TestSessionsEndOnceForEachClosing",
		},
		{
			Name: "a full server is not asked on the spare connection", Room: room, File: "pkg/dr/aurora/sql.go",
			Old: "if mysqlerr.Full(err) || mysqlerr.Denied(err) {", New: "if mysqlerr.Full(err) && mysqlerr.Denied(err) {",
			Why: "a writer with too many connections can't be fenced", Package: aurora, Test: "TestAFullServerIsStillAskedAndFenced", Says: "--- FAIL: TestAFullServerIsStillAskedAndFenced",
		},
		{
			Name: "a stopped writer can't be isolated", Room: room, File: "pkg/dr/aurora/isolator.go",
			Old: "lookErr == nil && gone[states[id]]", New: "lookErr == nil && states[id] == \"rebooting\"",
			Why: "a Region whose writer is down already never proves its fence", Package: aurora, Test: "TestIsolate", Says: "--- FAIL: TestIsolate/in_every_state",
		},
		{
			Name: "a failover without AllowDataLoss", Room: room, File: "pkg/dr/aurora/cluster.go",
			Old: "\t\tAllowDataLoss:             aws.Bool(true),\n", New: "",
			Why: "AWS takes it for a switchover, which a dead Region can't do", Package: aurora, Test: "TestFault01FailoverAsksForDataLossAndIsNoSwitchover", Says: "without AllowDataLoss it would be a switchover",
		},
		{
			Name: "a promoted failover is asked for again", Room: room, File: "pkg/dr/aurora/cluster.go",
			Old: "case now.MovingTo == to && g.dataLoss == dataLoss, now.MovingTo == \"\" && now.Writer == to:", New: "case now.MovingTo == to && g.dataLoss == dataLoss:",
			Why: "a retry after a lost answer fails over the new writer", Package: aurora, Test: "TestFault14FailoverLooksBeforeItAsks", Says: "FailoverGlobalCluster",
		},
		{
			Name: "the lease is taken whatever its revision", Room: room, File: "pkg/dr/dynamo/lease.go",
			Old: "\"#epoch = :epoch AND #holder = :holder AND #rev = :rev AND \" + understood", New: "\"#epoch = :epoch AND #holder = :holder AND #rev >= :rev AND \" + understood",
			Why: "the observer's silence proves nothing about the last renewal", Package: "./drills/conformance", Test: "TestStore", Says: "--- FAIL: TestStore/from_us-east-2/leaser/what_was_seen_must_still_be_there_exactly",
		},
		{
			Name: "a renewal without its epoch", Room: room, File: "pkg/dr/dynamo/lease.go",
			Old: "aws.String(\"#epoch = :epoch AND #holder = :holder AND \" + unreleased + \" AND \" + understood),", New: "aws.String(\"(#epoch >= :epoch OR #holder = :holder) AND \" + unreleased + \" AND \" + understood),",
			Why: "the old holder renews the new holder's lease", Package: "./drills/conformance", Test: "TestStore", Says: "--- FAIL: TestStore/from_us-east-2/leaser/taking_it_gives_the_next_epoch_and_ends_the_old_term",
		},
		{
			Name: "the lease is read where it is near", Room: room, File: "pkg/dr/dynamo/lease.go",
			Old: "ConsistentRead: aws.Bool(true),", New: "ConsistentRead: aws.Bool(false),",
			Why: "a stale replica shows a lease that has moved", Package: dynamo, Test: "TestReadLease", Says: "any other read may be old",
		},
		{
			Name: "a journal record replaces another", Room: room, File: "pkg/dr/dynamo/journal.go",
			Old: "attribute_not_exists(pk)", New: "attribute_not_exists(pk) OR attribute_exists(pk)",
			Why: "two controllers write two histories", Package: dynamo, Test: "TestAppendAndLatest", Says: "OR attribute_exists(pk)",
		},
		{
			Name: "a quota is asked again", Room: room, File: "pkg/dr/aurora/errors.go",
			Old: "strings.Contains(e.Code, \"QuotaExceeded\")", New: "strings.Contains(e.Code, \"CapacityExceeded\")",
			Why: "people hear after ten minutes of what asking again never changes", Package: aurora, Test: "TestWhatIsRefusedForGood", Says: "--- FAIL: TestWhatIsRefusedForGood/FailoverGlobalCluster_DBClusterQuotaExceededFault",
		},
		{
			Name: "the other replica is never asked", Room: room, File: "pkg/dr/dynamo/attempt.go",
			Old: "time.Duration(i) * hedge", New: "time.Duration(i) * (hedge + time.Hour)",
			Why: "one Region's lease store that hangs closes a healthy writer", Package: dynamo, Test: "TestAReplicaThatHangsCostsARenewalTheHedge", Says: "--- FAIL: TestAReplicaThatHangsCostsARenewalTheHedge",
		},
		{
			Name: "a release whatever the revision", Room: room, File: "pkg/dr/dynamo/lease.go",
			Old: "#holder = :holder AND #rev = :rev AND \" + unreleased", New: "#holder = :holder AND #rev >= :rev AND \" + unreleased",
			Why: "a late release ends a lease that was renewed since", Package: dynamo, Test: "TestReleaseLease", Says: "--- FAIL: TestReleaseLease",
		},
		{
			Name: "a newer version's lease is read", Room: room, File: "pkg/dr/dynamo/lease.go",
			Old: "(failover.Lease, error) {\n\tif err := newer(it); err != nil {\n\t\treturn failover.Lease{}, s.fail(op, err)\n\t}\n", New: "(failover.Lease, error) {\n",
			Why: "acts on a record that it understands in part", Package: dynamo, Test: "TestALeaseOfANewerVersion", Says: "--- FAIL: TestALeaseOfANewerVersion",
		},
		{
			Name: "a policy that can never act passes", Room: room, File: "pkg/dr/validate.go",
			Old: "refuse(p.MinVantages > 3,", New: "refuse(p.MinVantages > 300,",
			Why: "nothing ever fails over, and no one is told", Package: "./pkg/dr", Test: "TestEveryFieldHasBothBounds", Says: "--- FAIL: TestEveryFieldHasBothBounds/MinVantages_4",
		},
	}
}
