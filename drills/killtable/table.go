package killtable

import (
	"fmt"
	"strings"
	"time"
)

// Markdown is the table of bugs for a document. It holds nothing that differs from run
// to run.
func Markdown(bugs []Bug) string {
	var b strings.Builder
	b.WriteString("| bug | where | what it would do | killed by |\n|---|---|---|---|\n")
	for _, bug := range bugs {
		fmt.Fprintf(&b, "| %s | `%s` | %s | `%s` of `%s` |\n", bug.Name, bug.File, bug.Why, bug.Test, strings.TrimPrefix(bug.Package, "./"))
	}
	return b.String()
}

// Report is the kill table of a run, with how long each bug took to compile and to kill.
func Report(rows []Row) string {
	var b strings.Builder
	wide, killed, sum := 0, 0, time.Duration(0)
	for _, r := range rows {
		wide, sum = max(wide, len(r.Name)), sum+r.Took
		if r.Err == nil {
			killed++
		}
	}
	for _, r := range rows {
		by := "killed by " + r.Test + " of " + strings.TrimPrefix(r.Package, "./")
		if r.Err != nil {
			by = "NOT KILLED by " + r.Test + " of " + strings.TrimPrefix(r.Package, "./")
		}
		fmt.Fprintf(&b, "%-*s  %5.1f s  %s  (%s)\n", wide, r.Name, r.Took.Seconds(), by, r.File)
	}
	fmt.Fprintf(&b, "%d bugs, %d killed, %.0f s of work\n", len(rows), killed, sum.Seconds())
	return b.String()
}

// Sample returns n bugs of all, spread over the table, others for each seed. The order
// stays.
func Sample(all []Bug, n int, seed uint64) []Bug {
	if n >= len(all) {
		return all
	}
	var out []Bug
	for i := range n {
		from, to := i*len(all)/n, (i+1)*len(all)/n
		out = append(out, all[from+int(seed%uint64(to-from))])
	}
	return out
}
