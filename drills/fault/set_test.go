package fault_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/fault"
)

// house is an injector that remembers what is broken. A heal can depend on
// another fault being healed first, hang, fail or panic.
type house struct {
	broken map[string]bool
	log    []string
	needs  map[string]string // heal of key fails while value is broken
	hangs  map[string]bool
	panics map[string]bool
	half   map[string]error // injection breaks, then fails
}

func newHouse() *house { return &house{broken: map[string]bool{}} }

func (h *house) Supports(f fault.Fault) error {
	if f.Kind == fault.ReplicationLag {
		return fmt.Errorf("%w: this house has no link", fault.ErrUnsupported)
	}
	return nil
}

func (h *house) Inject(_ context.Context, f fault.Fault) (fault.Heal, error) {
	name := f.String()
	h.broken[name] = true
	h.log = append(h.log, "break "+name)
	return func(ctx context.Context) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case h.panics[name]:
			panic("cannot lift " + name)
		case h.hangs[name]:
			<-ctx.Done()
			return ctx.Err()
		case h.broken[h.needs[name]]:
			return errors.New("needs " + h.needs[name] + " first")
		}
		h.broken[name] = false
		h.log = append(h.log, "heal "+name)
		return nil
	}, h.half[name]
}

func at(kind fault.Kind, region string) fault.Fault {
	f, err := fault.Parse(fmt.Sprintf("%s(%s)", kind, region))
	if err != nil {
		panic(err)
	}
	return f
}

func TestSetHealsNewestFirst(t *testing.T) {
	h := newHouse()
	s := fault.NewSet(h, 0)
	require.NoError(t, s.Inject(t.Context(), at(fault.Kill, "us-east-1")))
	require.NoError(t, s.Inject(t.Context(), at(fault.Blackout, "us-east-1")))
	require.NoError(t, s.Inject(t.Context(), fault.Fault{Kind: fault.None}))
	require.Equal(t, []fault.Fault{at(fault.Kill, "us-east-1"), at(fault.Blackout, "us-east-1")}, s.Active())

	require.NoError(t, s.Heal(t.Context()))
	require.Empty(t, s.Active())
	require.Equal(t, []string{
		"break kill(us-east-1)", "break blackout(us-east-1)",
		"heal blackout(us-east-1)", "heal kill(us-east-1)",
	}, h.log)
	require.NoError(t, s.Heal(t.Context()), "nothing is left to heal")
}

func TestSetRefusesWhatIsNotSupported(t *testing.T) {
	s := fault.NewSet(newHouse(), 0)
	err := s.Inject(t.Context(), lag)
	require.ErrorIs(t, err, fault.ErrUnsupported)
	require.ErrorContains(t, err, "this house has no link")
	require.ErrorContains(t, s.Inject(t.Context(), fault.Fault{Kind: "meteor"}), "not known")
	require.Empty(t, s.Active())

	require.ErrorIs(t, fault.All(blackout, lag).Supports(newHouse()), fault.ErrUnsupported)
	require.NoError(t, fault.All(blackout).Supports(newHouse()))
}

func TestSetHealsAfterCancellation(t *testing.T) {
	h := newHouse()
	s := fault.NewSet(h, 0)
	require.NoError(t, s.Inject(t.Context(), blackout))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, s.Heal(ctx))
	require.False(t, h.broken["blackout(us-east-1)"])
}

func TestSetKeepsTheWayBackOfAHalfInjection(t *testing.T) {
	h := newHouse()
	h.half = map[string]error{"kill(us-east-1)": errors.New("second server did not die")}
	s := fault.NewSet(h, 0)
	require.ErrorContains(t, s.Inject(t.Context(), at(fault.Kill, "us-east-1")), "second server did not die")
	require.Len(t, s.Active(), 1)
	require.NoError(t, s.Heal(t.Context()))
	require.False(t, h.broken["kill(us-east-1)"])
}

func TestSetHealsEachOnItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		kill, freeze, isolate := at(fault.Kill, "us-east-1"), at(fault.FreezeDatabase, "us-east-1"), at(fault.Isolate, "us-east-1")
		h.panics = map[string]bool{kill.String(): true}
		h.hangs = map[string]bool{freeze.String(): true}
		// The newest needs an older one: it works on the second attempt.
		h.needs = map[string]string{blackout.String(): isolate.String()}
		s := fault.NewSet(h, time.Second)
		for _, f := range []fault.Fault{kill, freeze, isolate, blackout} {
			require.NoError(t, s.Inject(t.Context(), f))
		}
		start := time.Now()
		err := s.Heal(t.Context())
		require.ErrorContains(t, err, "heal kill(us-east-1): panic: cannot lift")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NotContains(t, err.Error(), "isolate")
		require.Equal(t, 2*time.Second, time.Since(start), "a heal that hangs is bounded, twice")
		require.False(t, h.broken[blackout.String()])
		require.False(t, h.broken[isolate.String()])
		require.Equal(t, []fault.Fault{kill, freeze}, s.Active(), "what failed stays on the list")

		h.panics, h.hangs = nil, nil
		require.NoError(t, s.Heal(t.Context()))
		require.Empty(t, s.Active())
	})
}

func TestOnce(t *testing.T) {
	calls := 0
	var fails error = errors.New("not yet")
	heal := fault.Once(func(context.Context) error { calls++; return fails })
	require.Error(t, heal(t.Context()))
	fails = nil
	require.NoError(t, heal(t.Context()))
	require.NoError(t, heal(t.Context()))
	require.Equal(t, 2, calls)
}
