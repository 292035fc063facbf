package drtest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// Planes is what the Plane suite acts on: the control plane of a healthy global database.
type Planes struct {
	Plane             failover.Plane
	Writer, Secondary dr.Region
	// Move moves the writer to the Secondary, past Lifeboat.
	Move func(t *testing.T)
	// Silence has the control plane answer nothing any more.
	Silence func()
}

// TestPlane holds a failover.Plane, of which a guard asks where the writer is, against its
// documentation. open is called once for every part.
func TestPlane(t *testing.T, open func(t *testing.T) Planes) {
	t.Run("it names the writer of now", func(t *testing.T) {
		p := open(t)
		got, err := p.Plane.Describe(callContext(t))
		require.NoError(t, err)
		require.Equal(t, p.Writer, got.Writer, "the contract of failover.Plane: Describe names the Region of the member that is the writer now")
		require.Empty(t, got.MovingTo, "the contract of failover.Plane: what the control plane does not say is empty: no move is under way")
		require.NotEmpty(t, got.Status, "the contract of failover.Plane: Status is the control plane's own word")
	})
	t.Run("it follows a move from outside", func(t *testing.T) {
		p := open(t)
		p.Move(t)
		eventually(t, "the writer has moved", func() bool {
			got, err := p.Plane.Describe(callContext(t))
			require.NoError(t, err)
			if got.Writer == p.Secondary {
				return got.MovingTo == ""
			}
			require.Equal(t, p.Writer, got.Writer, "the contract of failover.Plane: the writer is the old one or the new one, and no other")
			return false
		})
	})
	t.Run("silence says nothing of the writer", func(t *testing.T) {
		p := open(t)
		p.Silence()
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		got, err := p.Plane.Describe(ctx)
		require.Error(t, err, "the contract of failover.Plane: silence is an error: a guard would close a writer by an answer that names none")
		require.Zero(t, got, "the contract of failover.Plane: an error says nothing of the writer")
	})
	t.Run("no call succeeds under an ended context", func(t *testing.T) {
		got, err := open(t).Plane.Describe(endedContext(t))
		require.Error(t, err)
		require.Zero(t, got)
	})
}

// Roles is what the RoleReader suite acts on: two members, each as its own Region asks it.
type Roles struct {
	Writer, Secondary failover.RoleReader
	// Fence closes the writer, and the secondary, too.
	Fence func(t *testing.T)
	// Silent asks a server that does not answer.
	Silent failover.RoleReader
	// Reader asks a reader beside the writer. Nil where there is none.
	Reader failover.RoleReader
}

// TestRoleReader holds a failover.RoleReader against its documentation. open is called once
// for every part.
func TestRoleReader(t *testing.T, open func(t *testing.T) Roles) {
	t.Run("a server says what it is, open or closed", func(t *testing.T) {
		r := open(t)
		for _, closed := range []bool{false, true} {
			if closed {
				r.Fence(t)
			}
			got, err := r.Writer.Role(callContext(t))
			require.NoError(t, err)
			require.Equal(t, failover.RoleWriter, got, "the contract of failover.RoleReader: a writer that is closed (%v) is the writer: a guard that took it for a secondary would give the lease back", closed)
			got, err = r.Secondary.Role(callContext(t))
			require.NoError(t, err)
			require.Equal(t, failover.RoleSecondary, got, "the contract of failover.RoleReader: a server that follows another Region's is a secondary, closed (%v) or not", closed)
		}
	})
	t.Run("a reader beside the writer proves nothing", func(t *testing.T) {
		r := open(t)
		if r.Reader == nil {
			return // there is none
		}
		got, err := r.Reader.Role(callContext(t))
		require.Error(t, err, "the contract of failover.RoleReader: RoleSecondary is proven: no other server beside it is the writer")
		require.Empty(t, got, "the contract of failover.RoleReader: an error says nothing")
	})
	t.Run("silence proves nothing", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		got, err := open(t).Silent.Role(ctx)
		require.Error(t, err, "the contract of failover.RoleReader: a server that does not answer has no role: a lease that is given back for it leaves no one to write")
		require.Empty(t, got, "the contract of failover.RoleReader: an error says nothing")
	})
	t.Run("no call succeeds under an ended context", func(t *testing.T) {
		got, err := open(t).Writer.Role(endedContext(t))
		require.Error(t, err)
		require.Empty(t, got)
	})
}

// Peers is what the PeerDatabase suite acts on: the databases of two members, each as the
// other one's monitor reaches it, and the writer's as its own guard does.
type Peers struct {
	Writer, Secondary failover.PeerDatabase
	Guard             failover.Beater
	// Replica reads in the secondary what has arrived there.
	Replica failover.ReplicaReader
	// Silent is a peer that does not answer.
	Silent failover.PeerDatabase
}

// TestPeerDatabase holds a failover.PeerDatabase against its documentation: the other
// member's database as long as it is the writer. Nothing is written when open returns.
func TestPeerDatabase(t *testing.T, open func(t *testing.T) Peers) {
	const guard, row = dr.Region("us-east-1"), dr.Region("us-west-2") + failover.PromiseRow
	seen := failover.Beat{Region: guard, Epoch: 2, Seq: 7}

	t.Run("the writer names its guard's newest heartbeat and takes a promise", func(t *testing.T) {
		p, ctx := open(t), callContext(t)
		got, err := p.Writer.Replicated(ctx, guard)
		require.NoError(t, err)
		require.Zero(t, got, "the contract of failover.PeerDatabase: where nothing was written, nothing can be named")
		require.NoError(t, p.Guard.Beat(ctx, seen))
		got, err = p.Writer.Replicated(ctx, guard)
		require.NoError(t, err)
		require.Equal(t, seen, got, "the contract of failover.PeerDatabase: the writer has its guard's newest heartbeat at once")
		promise := failover.Beat{Region: row, Epoch: 5, Seq: got.Seq}
		require.NoError(t, p.Writer.Beat(ctx, promise))
		got, err = p.Writer.Replicated(ctx, row)
		require.NoError(t, err)
		require.Equal(t, promise, got)
		older := promise
		older.Epoch--
		require.Error(t, p.Writer.Beat(ctx, older), "the contract of failover.PeerDatabase: a process of an older generation can't promise: its successor would take the lease while it does")
		require.NoError(t, p.Guard.Beat(ctx, failover.Beat{Region: guard, Epoch: 2, Seq: 8}), "the generation of a promise is no epoch of the guard's")
	})
	t.Run("a secondary names nothing and takes nothing", func(t *testing.T) {
		p, ctx := open(t), callContext(t)
		require.NoError(t, p.Guard.Beat(ctx, seen))
		eventually(t, "the heartbeat arrives in the secondary", func() bool {
			got, err := p.Replica.Replicated(ctx, guard)
			require.NoError(t, err)
			return got == seen
		})
		got, err := p.Secondary.Replicated(ctx, guard)
		require.ErrorIs(t, err, failover.ErrNotWriter, "the contract of failover.PeerDatabase: it answers as the writer only: what a secondary says would name old heartbeats")
		require.Zero(t, got)
		require.ErrorIs(t, p.Secondary.Beat(ctx, failover.Beat{Region: row, Epoch: 5, Seq: seen.Seq}), failover.ErrNotWriter, "the contract of failover.PeerDatabase: a promise that the writer does not have is none")
	})
	t.Run("silence names nothing", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		got, err := open(t).Silent.Replicated(ctx, guard)
		require.Error(t, err, "the contract of failover.PeerDatabase: silence is an error")
		require.NotErrorIs(t, err, failover.ErrNotWriter, "the contract of failover.PeerDatabase: only a server that answers can say that it is a secondary")
		require.Zero(t, got)
	})
	t.Run("no call succeeds under an ended context", func(t *testing.T) {
		p := open(t)
		_, err := p.Writer.Replicated(endedContext(t), guard)
		require.Error(t, err)
		require.Error(t, p.Writer.Beat(endedContext(t), failover.Beat{Region: row, Epoch: 5, Seq: 1}))
	})
}
