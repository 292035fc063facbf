package drill_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/drill"
	"github.com/lifeboat-dr/lifeboat/drills/fault"
	"github.com/lifeboat-dr/lifeboat/drills/measure"
	"github.com/lifeboat-dr/lifeboat/drills/target/embedded"
)

func find(t *testing.T, name string) drill.Scenario {
	t.Helper()
	s, err := drill.Find(name)
	require.NoError(t, err)
	return s
}

// virtual runs a drill in a bubble of its own.
func virtual(t *testing.T, target drill.Target, s drill.Scenario, o drill.Options) (out drill.Outcome) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var err error
		out, err = drill.Run(t.Context(), target, s, o)
		require.NoError(t, err)
	})
	return out
}

// plain is the embedded target as it is.
func plain() drill.Target { return embedded.New(embedded.Config{}) }

// bent is the embedded target with a world that does not do as it says.
type bent struct {
	drill.Target
	bend func(drill.World) drill.World
}

func (b bent) Up(ctx context.Context, s drill.Setup) (drill.World, error) {
	w, err := b.Target.Up(ctx, s)
	if err != nil {
		return nil, err
	}
	return b.bend(w), nil
}

// gentle says that it has injected one kind of fault, and has not.
func gentle(kind fault.Kind) drill.Target {
	return bent{plain(), func(w drill.World) drill.World { return gentleWorld{w, kind} }}
}

type gentleWorld struct {
	drill.World
	kind fault.Kind
}

func (g gentleWorld) Inject(ctx context.Context, f fault.Fault) (fault.Heal, error) {
	if f.Kind == g.kind {
		return func(context.Context) error { return nil }, nil
	}
	return g.World.Inject(ctx, f)
}

// deaf does not see one kind of fault.
func deaf(kind fault.Kind) drill.Target {
	return bent{plain(), func(w drill.World) drill.World { return deafWorld{w, kind} }}
}

type deafWorld struct {
	drill.World
	kind fault.Kind
}

func (d deafWorld) Effective(ctx context.Context, f fault.Fault) (time.Duration, error) {
	if f.Kind == d.kind {
		return 0, errors.New("nothing seen")
	}
	return d.World.Effective(ctx, f)
}

// watched counts what was broken and mended, and fails Marks when marks does.
type watched struct {
	bent
	marks    func() error
	injected int
	healed   int
	closed   int
}

func newWatched() *watched {
	t := &watched{marks: func() error { return nil }}
	t.bent = bent{plain(), func(w drill.World) drill.World { return watchedWorld{w, t} }}
	return t
}

type watchedWorld struct {
	drill.World
	t *watched
}

func (w watchedWorld) Inject(ctx context.Context, f fault.Fault) (fault.Heal, error) {
	heal, err := w.World.Inject(ctx, f)
	w.t.injected++
	return func(ctx context.Context) error {
		w.t.healed++
		return heal(ctx)
	}, err
}

func (w watchedWorld) Marks(ctx context.Context) ([]measure.Mark, error) {
	if err := w.t.marks(); err != nil {
		return nil, err
	}
	return w.World.Marks(ctx)
}

func (w watchedWorld) Close(ctx context.Context) error {
	w.t.closed++
	return errors.Join(ctx.Err(), w.World.Close(ctx))
}
