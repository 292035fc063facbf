package drtest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// Store keeps the lease, the heartbeats, the journal and the acknowledgements.
// Every operation is linearizable and needs a majority of the network's Regions:
// from a Region that has none, a call hangs until its context ends.
type Store struct {
	net *Network

	mu         sync.Mutex
	lease      *failover.Lease
	newer      bool // a newer version of Lifeboat has written the lease
	heartbeats map[dr.Region]failover.Report
	journal    []failover.Entry
	acks       map[question]failover.Acknowledgement
}

// NewStore returns an empty store.
func NewStore(net *Network) *Store {
	return &Store{
		net: net, heartbeats: make(map[dr.Region]failover.Report),
		acks: make(map[question]failover.Acknowledgement),
	}
}

// At returns the store as one Region reaches it.
func (s *Store) At(r dr.Region) *StoreView { return &StoreView{s, r} }

// Forget loses the lease, as a table does that was deleted and made again.
func (s *Store) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lease = nil
}

// SetNewer says whether a newer version of Lifeboat has written the lease.
func (s *Store) SetNewer(newer bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.newer = newer
}

// StoreView is a store as one Region reaches it.
type StoreView struct {
	store  *Store
	region dr.Region
}

var (
	_ failover.Leaser       = (*StoreView)(nil)
	_ failover.Releaser     = (*StoreView)(nil)
	_ failover.Reports      = (*StoreView)(nil)
	_ failover.Journal      = (*StoreView)(nil)
	_ failover.Acknowledger = (*StoreView)(nil)
)

func (v *StoreView) carry(ctx context.Context, op Op, act func() error) error {
	return v.store.net.carry(ctx, Call{From: v.region, Op: op}, func() error {
		v.store.mu.Lock()
		defer v.store.mu.Unlock()
		return act()
	})
}

// carryLease carries a call that is about the lease.
func (v *StoreView) carryLease(ctx context.Context, op Op, act func() error) error {
	return v.carry(ctx, op, func() error {
		if v.store.newer {
			return fmt.Errorf("%w: it is of version 2 and this process understands version 1", failover.ErrNewerRecord)
		}
		return act()
	})
}

// ReadLease implements failover.Leaser.
func (v *StoreView) ReadLease(ctx context.Context) (failover.Lease, error) {
	var got failover.Lease
	err := v.carryLease(ctx, OpReadLease, func() error {
		if v.store.lease == nil {
			return failover.ErrNoLease
		}
		got = *v.store.lease
		return nil
	})
	return orZero(got, err)
}

// RenewLease implements failover.Leaser.
func (v *StoreView) RenewLease(ctx context.Context, held failover.Lease) (failover.Lease, error) {
	var got failover.Lease
	err := v.carryLease(ctx, OpRenewLease, func() error {
		l := v.store.lease
		if l == nil || l.Epoch != held.Epoch || l.Holder != held.Holder || l.Released {
			return failover.ErrLeaseMoved
		}
		l.Rev++
		if !held.Blind {
			l.Served = l.Rev
		}
		got = *l
		return nil
	})
	return orZero(got, err)
}

// TakeLease implements failover.Leaser.
func (v *StoreView) TakeLease(ctx context.Context, seen failover.Lease, claim failover.Claim) (failover.Lease, error) {
	var got failover.Lease
	err := v.carryLease(ctx, OpTakeLease, func() error {
		var now failover.Lease
		if v.store.lease != nil {
			now = *v.store.lease
		}
		if now.Epoch != seen.Epoch || now.Holder != seen.Holder || now.Rev != seen.Rev {
			return failover.ErrLeaseMoved
		}
		got = failover.Lease{
			Epoch: now.Epoch + 1, Holder: claim.Holder, Rev: now.Rev + 1, Execution: claim.Execution,
			TakenRev: now.Rev + 1, TakenAfter: claim.After,
		}
		v.store.lease = new(got)
		return nil
	})
	return orZero(got, err)
}

// ReleaseLease implements failover.Releaser.
func (v *StoreView) ReleaseLease(ctx context.Context, held failover.Lease) (failover.Lease, error) {
	var got failover.Lease
	err := v.carryLease(ctx, OpReleaseLease, func() error {
		l := v.store.lease
		switch {
		case l == nil || l.Epoch != held.Epoch || l.Holder != held.Holder:
			return failover.ErrLeaseMoved
		case l.Released && l.Rev == held.Rev+1: // by an earlier call whose answer was lost
		case l.Released || l.Rev != held.Rev:
			return failover.ErrLeaseMoved
		default:
			l.Rev, l.Released = l.Rev+1, true
		}
		got = *l
		return nil
	})
	return orZero(got, err)
}

// Publish implements failover.Reports.
func (v *StoreView) Publish(ctx context.Context, h failover.Report) error {
	h.Observations = slices.Clone(h.Observations)
	return v.carry(ctx, OpPublish, func() error {
		if newer := v.store.heartbeats[h.Region].Seq; newer > h.Seq {
			return fmt.Errorf("drtest: publish the report of %s: %d is older than %d, which is there", h.Region, h.Seq, newer)
		}
		v.store.heartbeats[h.Region] = h
		return nil
	})
}

// Reports implements failover.Reports; the answer is in the order of Regions.
func (v *StoreView) Reports(ctx context.Context) ([]failover.Report, error) {
	var got []failover.Report
	err := v.carry(ctx, OpReports, func() error {
		for _, h := range v.store.heartbeats {
			h.Observations = slices.Clone(h.Observations)
			got = append(got, h)
		}
		return nil
	})
	slices.SortFunc(got, func(a, b failover.Report) int { return cmp.Compare(a.Region, b.Region) })
	return orZero(got, err)
}

// orZero keeps an answer that was lost on the way from reaching the caller.
func orZero[T any](v T, err error) (T, error) {
	if err != nil {
		var zero T
		return zero, err
	}
	return v, nil
}
