package drills_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// budget demands that the calls to the RDS API stay within the budget that the policy
// states: those of the promotion by itself, and those to one Region together.
func budget() check {
	return check{"the calls to RDS are within the policy's budget", func(o *told) string {
		b := dr.Policy{}.RDSCalls()
		n, orders := make(map[dr.Region]int), 0
		by := make(map[string]int)
		for _, e := range o.calls {
			at := e.At.Sub(o.start)
			if at < 0 || at >= time.Minute || e.From == "" {
				continue
			}
			n[e.To]++
			by[fmt.Sprintf("%s %s from %s", e.To, e.Operation, e.From)]++
			if strings.HasSuffix(e.Operation, "GlobalCluster") || strings.HasSuffix(e.Operation, "GlobalClusters") {
				orders++
			}
		}
		for r, k := range n {
			if float64(k) > 60*(b.Suspicion+b.Steady) {
				return fmt.Sprintf("%s got %d in a minute, %.0f are budgeted: %v", r, k, 60*(b.Suspicion+b.Steady), by)
			}
		}
		if float64(orders) > 60*b.Promotion {
			return fmt.Sprintf("%d are about the promotion in a minute, %.0f are budgeted: %v", orders, 60*b.Promotion, by)
		}
		return ""
	}}
}

// calls demands that no Region's RDS API gets more calls in a minute.
func calls(most int) check {
	return check{fmt.Sprintf("at most %d calls a minute to a Region's RDS API", most), func(o *told) string {
		n := make(map[dr.Region]int)
		for _, e := range o.calls {
			if at := e.At.Sub(o.start); at >= 0 && at < time.Minute {
				n[e.To]++
			}
		}
		for r, k := range n {
			if k > most {
				return fmt.Sprintf("%s got %d", r, k)
			}
		}
		return ""
	}}
}
