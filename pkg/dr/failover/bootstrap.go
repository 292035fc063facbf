package failover

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Bootstrapper prepares a database that no lease has ever been taken for, so that the
// first epoch can be taken. Servers boot read-only and open with a current epoch
// only: without a bootstrap a new deployment would stay closed for ever.
type Bootstrapper interface {
	// Bootstraps reports whether the local Region's control plane says that the writer is in
	// that Region, and that no move of the writer is under way.
	Bootstraps(ctx context.Context) (bool, error)
	// Install prepares what the guard needs on the writer: schema and accounts. It is
	// idempotent. It returns ErrNotWriter on a secondary, whatever Bootstraps has said,
	// and ErrBootstrapped on a database that has seen an epoch.
	Install(ctx context.Context) error
}

// installCalls is how many calls an installation may take as long as.
const installCalls = 10

// bootstrap takes the first epoch for a new deployment. It looks every ProbeInterval
// whether the store has said that no lease exists, which costs no call, and does
// nothing as long as one does.
//
// The bootstrap is safe, whichever Regions bootstrap at the same time, and however old what
// they have read:
//
//	a Region without a majority           can neither read that there is no lease, nor take one
//	both Regions bootstrap at once        TakeLease is a compare-and-swap on nothing: one of them gets epoch 1
//	an answer that is lost or late        the next read shows the lease, and a swap that comes late finds it
//	a control plane with an old view      Install asks the server itself, and a secondary says ErrNotWriter
//	the writer is moved in between        the guard opens nothing but a writer (ErrNotWriter) and gives the
//	                                      lease back; the Region of the writer adopts it
//	a crash at any point                  Install is idempotent, and until the epoch is taken nothing is open
//	a lease table that was lost           the watch has seen a lease, or the database has seen an epoch
//	                                      (ErrBootstrapped): refused, and an operator restores the table
//
// Why a lost table is not bootstrapped again: epoch 1 would stand below the epochs in the
// database, which opens for none of them, and another Region may still count on one.
func (a *agent) bootstrap(ctx context.Context) {
	tick := time.NewTicker(a.cfg.Policy.ProbeInterval)
	defer tick.Stop()
	for {
		if a.watch.Vacant() {
			if err := a.bootstrapOnce(ctx); err != nil && ctx.Err() == nil {
				a.problem("bootstrap", err)
			}
		}
		if !next(ctx, tick) {
			return
		}
	}
}

func (a *agent) bootstrapOnce(ctx context.Context) error {
	if l, known := a.watch.Lease(); known {
		return fmt.Errorf("the lease has vanished from its table, epoch %d of %s: restore the table, nothing is bootstrapped on top of it", l.Epoch, l.Holder)
	}
	call, cancel := context.WithTimeout(ctx, a.cfg.Policy.CallTimeout)
	bootstraps, err := a.cfg.Bootstrapper.Bootstraps(call)
	cancel()
	if err != nil || !bootstraps {
		return err
	}
	call, cancel = context.WithTimeout(ctx, installCalls*a.cfg.Policy.CallTimeout)
	err = a.cfg.Bootstrapper.Install(call)
	cancel()
	if err != nil {
		return err
	}
	call, cancel = context.WithTimeout(ctx, a.cfg.Policy.CallTimeout)
	defer cancel()
	l, err := a.cfg.Leaser.TakeLease(call, Lease{}, Claim{Holder: a.cfg.Region})
	switch {
	case errors.Is(err, ErrLeaseMoved):
		a.watch.observeSome(time.Now()) // the other Region was quicker: not to be asked again
		return nil
	case err != nil:
		return err // taken or not, the watch will see
	}
	a.watch.Observe(l, time.Now())
	return nil
}
