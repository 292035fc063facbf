package guard_test

// differs explains what this guard does otherwise than that of commit 9f577a0 in what was
// recorded of that one. A kind says who did it, what, and in which phase: see
// history.Difference. "Row" means a row of issue 10's table of what was seen.
var differs = []struct {
	why   string
	kinds []string
}{
	{"one heartbeat write serves the lease and the lag; before, each had a write of its own", []string{
		"only before | beat, the lag guarded | its Region holds the lease",
	}},
	{"the lag is sampled only of an open writer, in a term that is known; before, from the start on, whichever Region held the lease", []string{
		"only before | beat, the lag guarded | another Region holds the lease",
		"only before | beat, the lag guarded | before the lease is known",
		"only before | beat, the lag guarded | its Region holds the lease, its writer is closed",
		"only before | replicated, the lag guarded | another Region holds the lease",
		"only before | replicated, the lag guarded | before the lease is known",
		"only before | replicated, the lag guarded | its Region holds the lease",
		"only before | replicated, the lag guarded | its Region holds the lease, its writer is closed",
	}},
	{"a term's lag is sampled at once, and until the server has confirmed its fence; before, at the next quarter of a second, and until the lease had moved", []string{
		"only now | replicated, the lag guarded | another Region holds the lease",
		"only now | replicated, the lag guarded | its Region holds the lease, its writer is closed",
	}},
	{"a closed writer's lease is renewed only to open it, after the store was read again: row \"renewing for a server that does not serve\"", []string{
		"only before | renew | its Region holds the lease, its writer is closed",
		"only before | renew | another Region holds the lease",
		"only now | renew | its Region holds the lease, its writer is closed",
	}},
	{"a heartbeat write that ends with the fence, or that waits for its turn, renews nothing; before, renewals went on beside the fence and in a rhythm of their own", []string{
		"only before | renew | its Region holds the lease",
		"only before | beat | its Region holds the lease",
	}},
	{"an opening is confirmed by a heartbeat write at once, and that one is renewed; before, with the next round", []string{
		"only now | beat | its Region holds the lease",
		"only now | renew | its Region holds the lease",
	}},
	{"what was closed is opened in the next round at the earliest, and not before the store was read since the last renewal without an answer; what follows moves with it", []string{
		"only before | open | its Region holds the lease",
		"only before | open | its Region holds the lease, its writer is closed",
		"only before | tell opened | its Region holds the lease",
		"only before | tell opened | its Region holds the lease, its writer is closed",
		"only before | fence | its Region holds the lease",
		"only before | fence | its Region holds the lease, its writer is closed",
		"only before | tell fenced | its Region holds the lease",
		"only before | tell fenced | its Region holds the lease, its writer is closed",
		"only now | open | its Region holds the lease, its writer is closed",
		"only now | tell opened | its Region holds the lease",
		"only now | fence | its Region holds the lease",
		"only now | tell fenced | its Region holds the lease, its writer is closed",
	}},
	{"no reboot while a grant holds, also of a writer whose lag can't be confirmed: row \"unknown treated as dead by the guard\"", []string{
		"only before | isolate | its Region holds the lease",
		"only before | tell isolated | its Region holds the lease",
		"only now | isolate | its Region holds the lease",
		"only now | tell isolated | its Region holds the lease",
		"only now | beat, the lag guarded | its Region holds the lease",
	}},
	{"the fence by SQL is tried every PollInterval while the control plane cuts the writer off; before, one waited for the other", []string{
		"only before | fence again | another Region holds the lease",
		"only before | fence again | its Region holds the lease",
		"only before | fence | another Region holds the lease",
		"only before | isolate | another Region holds the lease",
		"only before | tell isolated | another Region holds the lease",
		"only before | tell fenced | another Region holds the lease",
		"only now | fence again | another Region holds the lease",
		"only now | fence again | before the lease is known",
		"only now | fence again | behind its successor",
		"only now | fence again | its Region holds the lease",
		"only now | isolate | before the lease is known",
		"only now | isolate | behind its successor",
		"only now | tell fenced | another Region holds the lease",
	}},
	{"a guard that stays behind leaves a writer that is cut off to its successor; before, it tried to fence it for nine seconds more", []string{
		"only before | fence again | behind its successor",
		"only before | rested | behind its successor",
	}},
	{"a guard that stays behind looks at the lease a time after it has looked last; before, after it was answered", []string{
		"only before | read | behind its successor",
		"only now | read | behind its successor",
	}},
	{"of the recording: the recorded guard's last renewal is another guard's for this one, which had not sent it yet", []string{
		"only now | rested | behind its successor",
		"only before | beat, the lag guarded | behind its successor",
		"only before | replicated, the lag guarded | behind its successor",
	}},
	{"of the recording: the process stops between a heartbeat write and its renewal, so that the grant is half a second older", []string{
		"only before | fence | behind its successor",
		"only before | tell fenced | behind its successor",
		"only now | fence | behind its successor",
		"only now | tell fenced | behind its successor",
	}},
	{"a server that says that it is a secondary is closed and its lease given back: row \"two owners, never reconciled\"; one that says that it is the writer without a lease is closed every RenewInterval", []string{
		"only before | beat | its Region holds the lease, its writer is closed",
		"only now | fence | its Region holds the lease, its writer is closed",
		"only now | release | its Region holds the lease, its writer is closed",
		"only now | tell released | its Region holds the lease, its writer is closed",
	}},
	{"a newer epoch that was read before the renewal was refused closes the writer; the refusal then tells nothing new", []string{
		"only before | tell lost | another Region holds the lease",
		"only before | tell lost | its Region holds the lease",
	}},
	{"the watchdog is looked after when a renewal has been answered; before, beside it", []string{
		"only before | check | its Region holds the lease",
		"only before | remove | its Region holds the lease",
	}},
}
