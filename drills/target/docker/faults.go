package docker

import (
	"context"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/netfault"
)

// Blackout silences everything in a Region under a fault's name: its nodes, and
// what is under way from and to it on its links, which else would still be
// delivered, however long it has been lagging. It returns the containers'
// clock when all of it was effective.
func (f *Fleet) Blackout(ctx context.Context, name, region string) (int64, error) {
	return cutAll(ctx, name, append(f.In(region), f.roads(region)...))
}

// Isolate cuts a Region off from all others under a fault's name. Those inside
// go on with each other. It returns the containers' clock when all of it was
// effective.
func (f *Fleet) Isolate(ctx context.Context, name, region string) (int64, error) {
	return cutAll(ctx, name, f.roads(region))
}

// Heal removes what was injected under a fault's name ("fault" if empty, every
// cut if "*") from every node, and returns the containers' clock when all of it
// was gone.
func (f *Fleet) Heal(ctx context.Context, name string) (int64, error) {
	return latest(ctx, f.nodes, func(ctx context.Context, n *Node) (int64, error) { return n.Heal(ctx, name) })
}

// roads returns the links of a Region.
func (f *Fleet) roads(region string) []*Node {
	return slices.DeleteFunc(f.Nodes(), func(n *Node) bool { return !slices.Contains(n.spec.ends[:], region) })
}

func cutAll(ctx context.Context, name string, nodes []*Node) (int64, error) {
	return latest(ctx, nodes, func(ctx context.Context, n *Node) (int64, error) {
		return n.Cut(ctx, name, Cut{Mode: netfault.All})
	})
}

// latest does something to all nodes at once and returns when the last was done.
func latest(ctx context.Context, nodes []*Node, do func(context.Context, *Node) (int64, error)) (int64, error) {
	at := make([]int64, len(nodes))
	g, gctx := errgroup.WithContext(ctx)
	for i, n := range nodes {
		g.Go(func() (err error) {
			at[i], err = do(gctx, n)
			return err
		})
	}
	if err := g.Wait(); err != nil || len(at) == 0 {
		return 0, err
	}
	return slices.Max(at), nil
}
