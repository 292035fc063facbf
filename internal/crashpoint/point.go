package crashpoint

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Late is how much later than undisturbed an execution may settle when one call goes wrong.
const Late = 5 * time.Second

// Burst is how long the calls of an operation are throttled.
const Burst = 2 * time.Second

// Port names a process and what it calls, as in agent/append or agent/dynamodb/PutItem.
type Port string

// cut returns the process and its operation.
func (p Port) cut() (process, operation string) {
	process, operation, _ = strings.Cut(string(p), "/")
	return process, operation
}

// Way is what happens to one call. The zero value lets it pass.
type Way struct {
	Name string
	Done bool // it is carried out
	End  End
}

func (w Way) String() string { return w.Name }

// End is what the caller hears of its call.
type End string

// The ends of a call. The last two end the process that has made it.
const (
	Answered   End = ""         // what it should
	Refusal    End = "refusal"  // an error
	Silence    End = "silence"  // nothing before its deadline
	Throttling End = "throttle" // an error, as all calls of this operation for the time of a Burst
	Death      End = "death"    // nothing, ever
	LastWord   End = "last"     // the answer, and no more
)

// The ways that every layer knows.
var (
	Refused     = Way{Name: "refused", End: Refusal}
	Hangs       = Way{Name: "hangs", End: Silence}
	Throttled   = Way{Name: "throttled", End: Throttling}
	Killed      = Way{Name: "killed", End: Death}
	KilledDone  = Way{Name: "killed-done", Done: true, End: Death}
	KilledHeard = Way{Name: "killed-heard", Done: true, End: LastWord}
)

// Point is the n-th call, from the fault on, of a port, and what happens to it. The zero
// Point is nowhere.
type Point struct {
	Port Port
	N    int
	Way  Way
}

func (p Point) String() string { return fmt.Sprintf("%s/%d/%s", p.Port, p.N, p.Way) }

// ParsePoint reads what String has written, of one of some ways.
func ParsePoint(s string, ways []Way) (Point, error) {
	parts := strings.Split(s, "/")
	if len(parts) < 4 {
		return Point{}, fmt.Errorf("point %q: write process/call/n/way", s)
	}
	port, number, name := parts[:len(parts)-2], parts[len(parts)-2], parts[len(parts)-1]
	i := slices.IndexFunc(ways, func(w Way) bool { return w.Name == name })
	if i < 0 {
		return Point{}, fmt.Errorf("point %q: the way is one of %v", s, ways)
	}
	if slices.Contains(port, "") {
		return Point{}, fmt.Errorf("point %q: write process/call/n/way", s)
	}
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || strconv.Itoa(n) != number {
		return Point{}, fmt.Errorf("point %q: %q is not the number of a call: the first is 1", s, number)
	}
	return Point{Port(strings.Join(port, "/")), n, ways[i]}, nil
}

// Points returns every stride-th point of the calls that were counted, and how many there
// are in all. A stride that has no factor in common with the number of ways meets each.
func Points(counts map[Port]int, ways []Way, stride int) (points []Point, all int) {
	for _, p := range slices.Sorted(maps.Keys(counts)) {
		for n := 1; n <= counts[p]; n++ {
			for _, w := range ways {
				if all++; all%stride == 0 {
					points = append(points, Point{p, n, w})
				}
			}
		}
	}
	return points, all
}

// portsOf prints what a course calls, for the log.
func portsOf(counts map[Port]int) string {
	var b strings.Builder
	for _, p := range slices.SortedFunc(maps.Keys(counts), cmp.Compare[Port]) {
		fmt.Fprintf(&b, "  %-44s %4d\n", p, counts[p])
	}
	return b.String()
}
