package drill

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Settings say which drills to run and on what. They come from the environment,
// because a flag that one package does not know fails `go test ./drills ./other`.
type Settings struct {
	// Target is "embedded" (default) or "docker"; from DRILL_TARGET.
	Target string
	// Scenarios to run; from DRILL_SCENARIO, comma-separated, default all, and of them
	// the shard's.
	Scenarios []Scenario
	// Part and Of are the shard: every Of-th piece of work from the Part-th on, so that
	// several processes can share it; from DRILL_SHARD, such as "1/2" and "2/2" for a half
	// each, default 1/1.
	Part, Of int
	// Seed of the first run of each scenario; from DRILL_SEED, default 1.
	Seed uint64
	// Repeat is how many runs each scenario gets, each with the next seed; from
	// DRILL_REPEAT, default 1.
	Repeat int
	// Out is where the runs' folders go; from DRILL_OUT, default "out".
	Out string
	// Require lists what must not be missing: a target, or Terraform for the tests of
	// the infrastructure. Its absence is a failure and no skip, and so is a fault that
	// a required target can't inject; from DRILL_REQUIRE, comma-separated.
	Require []string
}

// shard reads "1/2".
func shard(v string) (part, of int, err error) {
	a, b, _ := strings.Cut(v, "/")
	part, errA := strconv.Atoi(a)
	of, errB := strconv.Atoi(b)
	if errA != nil || errB != nil || part < 1 || part > of {
		return 0, 0, fmt.Errorf("drill: DRILL_SHARD is %q: use PART/OF, such as 1/2", v)
	}
	return part, of, nil
}

// Targets are the names that DRILL_TARGET may have.
var Targets = []string{"embedded", "docker"}

// Requirable are the names that DRILL_REQUIRE may have.
var Requirable = append(slices.Clone(Targets), "terraform")

// FromEnv reads settings, and reports everything that is wrong with them at once.
func FromEnv(getenv func(string) string) (Settings, error) {
	s := Settings{Target: "embedded", Seed: 1, Repeat: 1, Part: 1, Of: 1, Out: "out"}
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf("drill: "+format, args...)) }
	if v := getenv("DRILL_TARGET"); v != "" {
		s.Target = v
	}
	if !slices.Contains(Targets, s.Target) {
		bad("DRILL_TARGET is %q: use one of %s", s.Target, strings.Join(Targets, ", "))
	}
	for name := range strings.SplitSeq(getenv("DRILL_SCENARIO"), ",") {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		found, err := Find(name)
		if err != nil {
			errs = append(errs, err)
		}
		s.Scenarios = append(s.Scenarios, found)
	}
	if s.Scenarios == nil {
		s.Scenarios = Scenarios()
	}
	if v := getenv("DRILL_SHARD"); v != "" {
		part, of, err := shard(v)
		if err != nil {
			errs = append(errs, err)
		} else {
			var own []Scenario
			for i, sc := range s.Scenarios {
				if i%of == part-1 {
					own = append(own, sc)
				}
			}
			s.Scenarios, s.Part, s.Of = own, part, of
		}
	}
	if v := getenv("DRILL_SEED"); v != "" {
		n, err := strconv.ParseUint(v, 10, 64)
		if err != nil {
			bad("DRILL_SEED is %q: use a whole number from 0", v)
		}
		s.Seed = n
	}
	if v := getenv("DRILL_REPEAT"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 {
			bad("DRILL_REPEAT is %q: use a whole number from 1", v)
		}
		s.Repeat = n
	}
	if v := getenv("DRILL_OUT"); v != "" {
		s.Out = v
	}
	for name := range strings.SplitSeq(getenv("DRILL_REQUIRE"), ",") {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		if !slices.Contains(Requirable, name) {
			bad("DRILL_REQUIRE names %q: use one of %s", name, strings.Join(Requirable, ", "))
		}
		s.Require = append(s.Require, name)
	}
	return s, errors.Join(errs...)
}
