package agent

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/drill"
	"github.com/lifeboat-dr/lifeboat/drills/measure"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/clock"
)

// Main is the agent's process: it runs the agent that config, the text of Variable,
// describes, writes its marks to out, and ends when in does, or ctx.
func Main(ctx context.Context, config string, in io.Reader, out io.Writer) error {
	var cfg Config
	if err := json.Unmarshal([]byte(config), &cfg); err != nil {
		return fmt.Errorf("agent: read %s: %w", Variable, err)
	}
	if err := cfg.validate(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w := &writer{out: json.NewEncoder(out)}
	now := func() time.Duration { return time.Duration(clock.Monotonic() - cfg.Origin) }
	trace := drill.MarkTrace(cfg.Region, now, func(m measure.Mark) { w.write(line{Mark: &m}) })

	a, end, err := assemble(cfg, trace)
	if err != nil {
		return err
	}
	defer end()
	go func() {
		defer cancel()
		questions := bufio.NewScanner(in)
		for questions.Scan() {
			if questions.Text() == explainQuestion {
				text := a.Explain().String()
				w.write(line{Explain: &text})
			}
		}
	}()
	if err := a.Run(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// writer writes lines from many goroutines.
type writer struct {
	mu  sync.Mutex
	out *json.Encoder
}

func (w *writer) write(l line) {
	w.mu.Lock()
	defer w.mu.Unlock()
	// A reader that has gone has taken the input with it, which ends the agent.
	_ = w.out.Encode(l)
}
