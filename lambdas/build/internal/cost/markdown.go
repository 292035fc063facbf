package cost

import (
	"fmt"
	"strconv"
	"strings"
)

// Markdown is the bill as a table.
func Markdown(lines []Line) string {
	var b strings.Builder
	b.WriteString("| what | formula | a month | $ per million | $ | $ at most |\n|---|---|---:|---:|---:|---:|\n")
	for _, l := range lines {
		fmt.Fprintf(&b, "| %s | %s | %s %s | %s | %.2f | %.2f |\n",
			l.What, l.Formula, thousands(l.Quantity), l.Unit, price(l.Price), l.Cost(), l.BoundCost())
	}
	cost, bound := Total(lines)
	fmt.Fprintf(&b, "| **together** | | | | **%.2f** | **%.2f** |\n", cost, bound)
	return b.String()
}

// price is for a million of what costs fractions of a cent.
func price(p float64) string { return strconv.FormatFloat(p*1e6, 'g', 6, 64) }

func thousands(f float64) string {
	s := strconv.FormatFloat(f, 'f', 0, 64)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
