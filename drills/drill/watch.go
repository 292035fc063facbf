package drill

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/measure"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// watch shows what happens for a while.
func (d *run) watch(ctx context.Context, for_ time.Duration) error {
	end := d.world.Clock() + for_
	for {
		left := end - d.world.Clock()
		if left <= 0 {
			return nil
		}
		if err := wait(ctx, min(left, look)); err != nil {
			return err
		}
		if _, err := d.marks(ctx); err != nil {
			return err
		}
	}
}

// look is the time between two looks at what the agents have done.
const look = 100 * time.Millisecond

// until waits for the first of two marks, and reports whether it was the first
// one. Neither within the horizon is no error: the verdict will say what is missing.
func (d *run) until(ctx context.Context, want, other string) (bool, error) {
	end := d.world.Clock() + d.opt.Timing.Horizon
	for d.world.Clock() < end {
		marks, err := d.marks(ctx)
		if err != nil {
			return false, err
		}
		for _, m := range marks {
			if m.Name == want || m.Name == other {
				return m.Name == want, nil
			}
		}
		if err := wait(ctx, look); err != nil {
			return false, err
		}
	}
	return false, nil
}

// marks returns everything marked so far, in order, and shows what is new.
func (d *run) marks(ctx context.Context) ([]measure.Mark, error) {
	theirs, err := d.world.Marks(ctx)
	if err != nil {
		return nil, fmt.Errorf("drill: read marks: %w", err)
	}
	d.mu.Lock()
	all := append(slices.Clone(theirs), d.own...)
	d.mu.Unlock()
	slices.SortStableFunc(all, func(a, b measure.Mark) int { return int(a.At - b.At) })
	for ; d.shown < len(theirs); d.shown++ {
		m := theirs[d.shown]
		d.opt.Progress(Progress{At: m.At, Mark: &m})
	}
	return all, nil
}

func (d *run) mark(name string, r dr.Region, detail string) {
	d.add(measure.Mark{At: d.world.Clock(), Source: "drill", Name: name, Region: r, Detail: detail})
}

func (d *run) add(m measure.Mark) {
	d.mu.Lock()
	d.own = append(d.own, m)
	d.mu.Unlock()
	d.opt.Progress(Progress{At: m.At, Mark: &m})
}

// wait pauses for d or until ctx ends.
func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}
