package drtest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// Bootstrap is a new deployment as its bootstrappers see it: its servers are read-only and
// no heartbeat was ever written.
type Bootstrap struct {
	// Writer bootstraps in the writer's Region, Secondary in the other one.
	Writer, Secondary failover.Bootstrapper
	// Database is the writer's, and Region where it is.
	Database Fenceable
	Region   dr.Region
}

// TestBootstrapper holds two Bootstrappers over one deployment against their documentation.
// open is called once for every part.
func TestBootstrapper(t *testing.T, open func(t *testing.T) Bootstrap) {
	t.Run("only the writer's Region bootstraps", func(t *testing.T) {
		f, ctx := open(t), callContext(t)
		bootstraps, err := f.Writer.Bootstraps(ctx)
		require.NoError(t, err)
		require.True(t, bootstraps)
		bootstraps, err = f.Secondary.Bootstraps(ctx)
		require.NoError(t, err)
		require.False(t, bootstraps)
	})
	t.Run("a secondary can't be installed, whatever its Region believes", func(t *testing.T) {
		f, ctx := open(t), callContext(t)
		require.ErrorIs(t, f.Secondary.Install(ctx), failover.ErrNotWriter)
		require.NoError(t, f.Writer.Install(ctx))
		require.ErrorIs(t, f.Secondary.Install(ctx), failover.ErrNotWriter)
	})
	t.Run("an installed writer is closed until it is opened", func(t *testing.T) {
		f, ctx := open(t), callContext(t)
		beat := failover.Beat{Region: f.Region, Epoch: 1, Seq: 1}
		require.Error(t, f.Database.Beat(ctx, beat), "nothing is there yet")
		require.NoError(t, f.Writer.Install(ctx))
		require.NoError(t, f.Writer.Install(ctx), "installing twice is installing")
		require.ErrorIs(t, f.Database.Beat(ctx, beat), failover.ErrReadOnly)
		require.NoError(t, f.Database.Open(ctx, 1))
		require.NoError(t, f.Database.Beat(ctx, beat))
	})
	t.Run("a writer that has seen an epoch is not bootstrapped again", func(t *testing.T) {
		f, ctx := open(t), callContext(t)
		require.NoError(t, f.Writer.Install(ctx))
		require.NoError(t, f.Database.Open(ctx, 7))
		require.NoError(t, f.Database.Beat(ctx, failover.Beat{Region: f.Region + "/probe", Seq: 1}))
		require.NoError(t, f.Writer.Install(ctx), "a prober's row has no epoch")
		require.NoError(t, f.Database.Beat(ctx, failover.Beat{Region: f.Region, Epoch: 7, Seq: 1}))
		require.ErrorIs(t, f.Writer.Install(ctx), failover.ErrBootstrapped)
		require.NoError(t, f.Database.Fence(ctx, 7))
		require.ErrorIs(t, f.Writer.Install(ctx), failover.ErrBootstrapped)
	})
	t.Run("a writer that was promoted before the installation came is opened", func(t *testing.T) {
		f, ctx := open(t), callContext(t)
		require.NoError(t, f.Database.Open(ctx, 2))
		require.NoError(t, f.Database.Beat(ctx, failover.Beat{Region: f.Region, Epoch: 2, Seq: 1}))
	})
	t.Run("no call succeeds under an ended context", func(t *testing.T) {
		f := open(t)
		_, err := f.Writer.Bootstraps(endedContext(t))
		require.Error(t, err)
		require.Error(t, f.Writer.Install(endedContext(t)))
	})
}
