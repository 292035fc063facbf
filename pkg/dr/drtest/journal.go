package drtest

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// throughBytes returns an entry as it comes back from bytes, as from every real
// journal: what does not survive encoding must not be relied on.
func throughBytes(e failover.Entry) (failover.Entry, error) {
	data, err := json.Marshal(e)
	if err != nil {
		return failover.Entry{}, err
	}
	var got failover.Entry
	return got, json.Unmarshal(data, &got)
}

// Append implements failover.Journal.
func (v *StoreView) Append(ctx context.Context, e failover.Entry) error {
	kept, err := throughBytes(e)
	if err != nil {
		return fmt.Errorf("drtest: append %s/%d: %w", e.Execution.ID, e.Execution.Seq, err)
	}
	return v.carry(ctx, OpAppend, func() error {
		if slices.ContainsFunc(v.store.journal, func(have failover.Entry) bool { return samePlace(have, kept) }) {
			return failover.ErrConflict
		}
		v.store.journal = append(v.store.journal, kept)
		return nil
	})
}

func samePlace(a, b failover.Entry) bool {
	return a.Execution.ID == b.Execution.ID && a.Execution.Seq == b.Execution.Seq
}

// Latest implements failover.Journal.
func (v *StoreView) Latest(ctx context.Context) (failover.Entry, error) {
	var got failover.Entry
	err := v.carry(ctx, OpLatest, func() error {
		if len(v.store.journal) == 0 {
			return failover.ErrNoEntry
		}
		got = slices.MaxFunc(v.store.journal, func(a, b failover.Entry) int {
			return cmp.Or(cmp.Compare(a.Execution.ID, b.Execution.ID), cmp.Compare(a.Execution.Seq, b.Execution.Seq))
		})
		if got.Version > failover.JournalVersion {
			return fmt.Errorf("%w: version %d, this program knows %d", failover.ErrNewerEntry, got.Version, failover.JournalVersion)
		}
		return nil
	})
	return orZero(got, err)
}

// Settled implements failover.Journal.
func (v *StoreView) Settled(ctx context.Context, since time.Time) (int, error) {
	n := 0
	err := v.carry(ctx, OpSettled, func() error {
		for _, e := range v.store.journal {
			if e.Execution.State == failover.Settled && e.Event == failover.EvAnnounced && e.Execution.Mode == failover.ModeFailover && !e.At.Before(since) {
				n++
			}
		}
		return nil
	})
	return orZero(n, err)
}

// Entries returns the whole journal in the order in which it was written, past
// the network: for assertions.
func (s *Store) Entries() []failover.Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.journal)
}

// Newest returns the newest entry, past the network, and whether there is one.
func (s *Store) Newest() (failover.Entry, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.journal) == 0 {
		return failover.Entry{}, false
	}
	return s.journal[len(s.journal)-1], true
}

// Lease returns the lease, past the network, and whether there is one.
func (s *Store) Lease() (failover.Lease, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lease == nil {
		return failover.Lease{}, false
	}
	return *s.lease, true
}

// question names a question of an execution.
type question struct{ execution, id string }

// Acknowledge implements failover.Acknowledger.
func (v *StoreView) Acknowledge(ctx context.Context, a failover.Acknowledgement) error {
	return v.carry(ctx, OpAcknowledge, func() error {
		key := question{a.Execution, a.Question}
		if have, answered := v.store.acks[key]; answered && have != a {
			return failover.ErrAcknowledged
		}
		v.store.acks[key] = a
		return nil
	})
}

// Acknowledgement implements failover.Acknowledger.
func (v *StoreView) Acknowledgement(ctx context.Context, execution, id string) (failover.Acknowledgement, error) {
	var got failover.Acknowledgement
	err := v.carry(ctx, OpAcknowledged, func() error {
		var ok bool
		if got, ok = v.store.acks[question{execution, id}]; !ok {
			return failover.ErrNotAcknowledged
		}
		return nil
	})
	return orZero(got, err)
}
