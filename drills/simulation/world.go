package simulation

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/fault"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// World is everything that happens and is not up to the system: what a seed draws.
type World struct {
	// Seed draws what the target draws: delays, cold starts, jitter.
	Seed   uint64
	Policy dr.Policy
	Plan   fault.Plan
	// BootReadOnly and Tick are embedded.Config's.
	BootReadOnly bool
	Tick         time.Duration
	// Patience is how long an operator lets a question wait.
	Patience time.Duration
	// Harm has invariants 7 and 8 held, too.
	Harm bool
}

// worldJSON is how a World is written down. It holds all of it, so that a past failure
// stays the same world when Draw changes.
type worldJSON struct {
	What         string     `json:"what,omitempty"` // for people
	Seed         *uint64    `json:"seed"`
	Plan         string     `json:"plan"`
	Policy       *dr.Policy `json:"policy"`
	BootReadOnly bool       `json:"boot_read_only,omitempty"`
	Tick         string     `json:"tick"`
	Patience     string     `json:"patience"`
	Harm         bool       `json:"harm,omitempty"`
}

// String prints the world as Parse reads it, on one line.
func (w World) String() string {
	text, err := json.Marshal(worldJSON{
		Seed: &w.Seed, Plan: w.Plan.String(), Policy: &w.Policy, BootReadOnly: w.BootReadOnly,
		Tick: w.Tick.String(), Patience: w.Patience.String(), Harm: w.Harm,
	})
	if err != nil {
		return err.Error() // no field of it can fail
	}
	return string(text)
}

// Parse reads what String prints, with a key "what" for people besides. Anything that it
// doesn't know, or that is missing, is an error: it would play another world than the one
// that failed, and that one passes.
func Parse(text string) (World, error) {
	var in worldJSON
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		return World{}, fmt.Errorf("simulation: world: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return World{}, errors.New("simulation: world: more than one object")
	}
	if in.Seed == nil || in.Policy == nil {
		return World{}, errors.New("simulation: world: seed or policy is missing: an empty policy is {}")
	}
	w := World{Seed: *in.Seed, Policy: *in.Policy, BootReadOnly: in.BootReadOnly, Harm: in.Harm}
	var err1, err2, err3 error
	w.Plan, err1 = fault.ParsePlan(in.Plan)
	w.Tick, err2 = positive("tick", in.Tick)
	w.Patience, err3 = positive("patience", in.Patience)
	if err := errors.Join(err1, err2, err3); err != nil {
		return World{}, fmt.Errorf("simulation: world: %w", err)
	}
	if err := errors.Join(w.Plan.Validate(), w.Policy.Validate()); err != nil {
		return World{}, fmt.Errorf("simulation: world: %w", err)
	}
	return w, nil
}

func positive(name, text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("%s %q: write it like 10s, above zero", name, text)
	}
	return d, nil
}
