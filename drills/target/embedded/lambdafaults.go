package embedded

import (
	"fmt"
	"slices"
	"sync"

	"github.com/lifeboat-dr/lifeboat/drills/fault"
	"github.com/lifeboat-dr/lifeboat/drills/target/embedded/internal/functions"
)

// inject breaks what runs in a Region. mu guards the counts.
func (l *lambda) inject(f fault.Fault, mu sync.Locker) (fault.Heal, error) {
	count := func(n *int) fault.Heal {
		add := func(d int) {
			mu.Lock()
			defer mu.Unlock()
			*n += d
		}
		add(1)
		return undo(func() { add(-1) })
	}
	nothing := undo(func() {})
	switch f.Kind {
	case fault.KillMonitor, fault.StopMonitor:
		heal := nothing
		if f.Kind == fault.StopMonitor {
			heal = undo(l.Break(monitorName, functions.Fault{Reserved: true}))
		}
		if l.Kill(monitorName) == 0 {
			return heal, fmt.Errorf("embedded: %s: no monitor runs there", f)
		}
		return heal, nil
	case fault.KillController:
		if l.Kill(triggerName) > 0 { // who has asked it asks again
			return nothing, nil
		}
		mu.Lock()
		defer mu.Unlock()
		mine := &f
		l.strikes = append(l.strikes, mine)
		return undo(func() {
			mu.Lock()
			defer mu.Unlock()
			l.strikes = slices.DeleteFunc(l.strikes, func(f *fault.Fault) bool { return f == mine })
		}), nil
	case fault.KillSteps:
		return count(&l.killSteps), nil
	case fault.LoseTicks:
		return count(&l.lose), nil
	case fault.DoubleTicks:
		return count(&l.double), nil
	case fault.DoubleTrigger:
		return undo(l.Break(triggerName, functions.Fault{Twice: true})), nil
	case fault.ColdStart:
		for _, name := range l.Names() {
			l.Retire(name)
		}
		return undo(l.everywhere(functions.Fault{Slow: f.Duration})), nil
	case fault.LambdaDown:
		return undo(l.takeDown()), nil
	}
	return nil, fmt.Errorf("embedded: %s: %w", f, fault.ErrUnsupported)
}

// takeDown kills every process of a Region and refuses every invocation until mend is
// called.
func (l *lambda) takeDown() (mend func()) {
	mend = l.everywhere(functions.Fault{Down: true})
	for _, name := range l.Names() {
		l.Kill(name)
	}
	return mend
}

// everywhere breaks every function of a Region.
func (l *lambda) everywhere(f functions.Fault) (mend func()) {
	var all []func()
	for _, name := range l.Names() {
		all = append(all, l.Break(name, f))
	}
	return func() {
		for _, mend := range all {
			mend()
		}
	}
}
