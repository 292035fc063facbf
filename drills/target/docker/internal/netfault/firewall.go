package netfault

import (
	"fmt"
	"slices"
	"sync"
)

// FaultName is the name of a cut that a drill injects. A component that makes a cut of
// its own uses another name, so that healing a fault never lifts a fence.
const FaultName = "fault"

// Firewall holds the cuts of one network namespace, grouped by name.
type Firewall struct {
	control uint16
	apply   func([]Rule) error

	mu   sync.Mutex
	cuts map[string][]Cut
}

// New returns a Firewall without cuts. The port named control is never cut.
// Each change hands the whole set of rules to apply, which replaces the former
// set at once or changes nothing.
func New(control uint16, apply func([]Rule) error) *Firewall {
	return &Firewall{control: control, apply: apply, cuts: map[string][]Cut{}}
}

// Cut adds cuts under name; a cut that is already there is kept once.
// When it returns, the cuts are effective.
func (f *Firewall) Cut(name string, cuts ...Cut) error {
	for _, c := range cuts {
		if err := c.Validate(); err != nil {
			return err
		}
	}
	return f.change(func(all map[string][]Cut) {
		for _, c := range cuts {
			if !slices.Contains(all[name], c) {
				all[name] = append(slices.Clip(all[name]), c)
			}
		}
	})
}

// Heal removes every cut under name. A name without cuts is no error.
func (f *Firewall) Heal(name string) error {
	return f.change(func(all map[string][]Cut) { delete(all, name) })
}

// HealAll removes every cut under every name.
func (f *Firewall) HealAll() error {
	return f.change(func(all map[string][]Cut) { clear(all) })
}

// Cuts returns the cuts by name.
func (f *Firewall) Cuts() map[string][]Cut {
	f.mu.Lock()
	defer f.mu.Unlock()
	return copyCuts(f.cuts)
}

func (f *Firewall) change(edit func(map[string][]Cut)) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	next := copyCuts(f.cuts)
	edit(next)
	var flat []Cut
	for _, cuts := range next {
		flat = append(flat, cuts...)
	}
	if err := f.apply(Rules(f.control, flat)); err != nil {
		return fmt.Errorf("netfault: apply rules: %w", err)
	}
	f.cuts = next
	return nil
}

func copyCuts(m map[string][]Cut) map[string][]Cut {
	c := make(map[string][]Cut, len(m))
	for name, cuts := range m {
		c[name] = slices.Clone(cuts)
	}
	return c
}
