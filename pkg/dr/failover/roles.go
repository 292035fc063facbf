package failover

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// part is a field that a role can't do without.
type part struct {
	name    string
	missing bool
}

// required names every part that is missing, in one error.
func required(role string, all ...part) error {
	var names []string
	for _, p := range all {
		if p.missing {
			names = append(names, p.name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	verb := "is"
	if len(names) > 1 {
		verb = "are"
	}
	return fmt.Errorf("failover: %s: %s %s required", role, strings.Join(names, ", "), verb)
}

// probers refuses a role that would ask nothing: the lease prober alone is one family of
// evidence, and would confirm nothing but its own silence.
func probers(role string, all []health.Prober) error {
	if len(all) == 0 {
		return fmt.Errorf("failover: %s: no Probers: nothing would be asked about the writer's Region but its lease, and no failover be confirmed", role)
	}
	var errs []error
	for i, p := range all {
		if p == nil {
			errs = append(errs, fmt.Errorf("failover: %s: Probers[%d] is nil", role, i))
		}
	}
	return errors.Join(errs...)
}

// member refuses a Region that has no database of the topology.
func member(role string, t dr.Topology, r dr.Region, instead string) error {
	if slices.Contains(t.Members, r) {
		return nil
	}
	return fmt.Errorf("failover: %s: Region %q is no member of the topology (%v): %s", role, r, t.Members, instead)
}

// same refuses a part that was made for another Region.
func same(role, field string, own, its dr.Region) error {
	if its == "" || its == own {
		return nil
	}
	return fmt.Errorf("failover: %s: %s is %q, and the %s's own Region %q: it would act on the other Region's database", role, field, its, role, own)
}
