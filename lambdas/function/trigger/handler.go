package trigger

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// Config says what the trigger consists of.
type Config struct {
	// Agent is the local Region's trigger. Its OnOutcome is the handler's. A new one is made
	// for every invocation: the process stands still between two of them, and what a trigger
	// has watched is void then.
	Agent failover.TriggerConfig
	// Name is the function's own, the same in both members: a request that names the other
	// Region is answered with the function to invoke there.
	Name string
	// Spare is how long before the invocation's deadline it ends, so that an error
	// still reaches who asked. Default 5 s.
	Spare time.Duration
	// Marks says which invocation drives, so that a second one of the automation ends at
	// once. Optional: without it every invocation drives, to the same end.
	Marks Marks
	// Fatal reports whether an error means that this process can do nothing any more.
	// Optional.
	Fatal func(error) bool
	// Log is told who asked, and what became of which execution. Optional.
	Log *slog.Logger
}

// Handler is the function. It handles one invocation at a time, as Lambda does. A second
// one at once, in another process, is answered beside it.
type Handler struct{ cfg Config }

// New returns the function, or everything that its configuration lacks.
func New(cfg Config) (*Handler, error) {
	var errs []error
	if cfg.Name == "" {
		errs = append(errs, errors.New("trigger: Name is empty"))
	}
	if cfg.Spare < 0 {
		errs = append(errs, fmt.Errorf("trigger: Spare %v is negative: give a positive duration, or 0 for 5s", cfg.Spare))
	}
	if _, err := failover.NewTrigger(cfg.Agent); err != nil {
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if cfg.Spare == 0 {
		cfg.Spare = 5 * time.Second
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	cfg.Agent.Policy = cfg.Agent.Policy.WithDefaults()
	return &Handler{cfg}, nil
}

func (h *Handler) fatal(err error) bool { return h.cfg.Fatal != nil && h.cfg.Fatal(err) }
