package lease_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/lease"
)

const (
	east dr.Region = "us-east-1"
	west dr.Region = "us-west-2"
)

func rev(n uint64) lease.Record { return lease.Record{Epoch: 1, Holder: east, Rev: n} }

func served(r lease.Record) lease.Record { r.Served = r.Rev; return r }

func TestObserver(t *testing.T) {
	const s = time.Second
	type change func(lease.Observer) lease.Observer
	read := func(r lease.Record, at time.Duration) change {
		return func(o lease.Observer) lease.Observer { return o.Observe(r, at) }
	}
	told := func(rev uint64, unchanged, at time.Duration) change {
		return func(o lease.Observer) lease.Observer { return o.Adopt(rev, unchanged, at) }
	}
	next := lease.Record{Epoch: 2, Holder: west, Rev: 9}
	for name, c := range map[string]struct {
		does                []change
		unchanged, unserved time.Duration
		moved               bool
	}{
		"nothing was read":                          {},
		"nothing was read, and another party has":   {does: []change{told(1, time.Hour, 2*s)}},
		"the first read tells no silence":           {does: []change{read(rev(3), 5*s)}},
		"it stands still from the first read":       {does: []change{read(rev(3), 5*s), read(rev(3), 7*s)}, unchanged: 2 * s, unserved: 2 * s},
		"a renewal ends the silence":                {does: []change{read(rev(3), 5*s), read(served(rev(4)), 7*s)}, moved: true},
		"a blind renewal ends no want of service":   {does: []change{read(rev(3), 5*s), read(rev(4), 7*s)}, unserved: 2 * s},
		"a served renewal beside blind ones":        {does: []change{read(rev(3), 5*s), read(served(rev(4)), 7*s), read(lease.Record{Epoch: 1, Holder: east, Rev: 5, Served: 4}, 8*s)}, unserved: s, moved: true},
		"another epoch is service":                  {does: []change{read(rev(3), 5*s), read(next, 7*s), read(next, 8*s)}, unchanged: s, unserved: s, moved: true},
		"an older answer changes nothing":           {does: []change{read(rev(3), 5*s), read(rev(2), 7*s)}},
		"a release is a revision":                   {does: []change{read(rev(3), 5*s), read(lease.Record{Epoch: 1, Holder: east, Rev: 4, Released: true}, 7*s)}, unserved: 2 * s},
		"another party has waited for longer":       {does: []change{read(rev(3), 5*s), told(3, 4*s, 5*s)}, unchanged: 4 * s, unserved: 4 * s},
		"its word holds from then on":               {does: []change{read(rev(3), 5*s), told(3, 4*s, 6*s), read(rev(3), 8*s)}, unchanged: 6 * s, unserved: 6 * s},
		"another party has waited for less":         {does: []change{read(rev(3), 5*s), told(3, s, 8*s), read(rev(3), 8*s)}, unchanged: 3 * s, unserved: 3 * s},
		"its word about an older revision":          {does: []change{read(rev(3), 5*s), told(2, time.Hour, 5*s)}},
		"its word about a later revision":           {does: []change{read(rev(3), 5*s), told(4, time.Hour, 5*s)}},
		"a renewal ends what was adopted":           {does: []change{read(rev(3), 5*s), told(3, time.Hour, 5*s), read(rev(4), 6*s)}, unserved: s},
		"its word is from the future":               {does: []change{read(rev(3), 5*s), told(3, -time.Hour, 5*s), read(rev(3), 6*s)}, unchanged: s, unserved: s},
		"its word is longer than any clock has run": {does: []change{read(rev(3), 5*s), told(3, math.MaxInt64, 5*s), read(rev(3), 6*s)}, unchanged: 6*s - lease.Never, unserved: 6*s - lease.Never},
	} {
		t.Run(name, func(t *testing.T) {
			var o lease.Observer
			for _, f := range c.does {
				o = f(o)
			}
			require.Equal(t, c.unchanged, o.Unchanged())
			require.Equal(t, c.unserved, o.Unserved())
			require.Equal(t, c.moved, o.Moved())
		})
	}
}

func TestObserverKnowsWhatWasReadLast(t *testing.T) {
	var o lease.Observer
	require.False(t, o.Known)
	require.False(t, o.Fresh(0, time.Hour), "a lease that was never read is not fresh, whatever the clock says")
	require.Greater(t, o.Age(0), 24*365*time.Hour)
	o = o.Observe(rev(3), time.Second).Observe(rev(2), 2*time.Second)
	require.Equal(t, lease.View{Known: true, Seen: rev(3), SeenAt: time.Second}, o.View)
	require.Equal(t, o.View, o.See(rev(2), 2*time.Second), "an older answer is none")
	require.Equal(t, 2*time.Second, o.Age(3*time.Second))
	require.True(t, o.Fresh(3*time.Second, 2*time.Second))
	require.False(t, o.Fresh(3*time.Second, 2*time.Second-1))
	// A record that a person has changed without a new revision is the one that stands.
	mended := rev(3)
	mended.Holder = west
	o = o.Observe(mended, 4*time.Second)
	require.Equal(t, west, o.Seen.Holder)
	require.Equal(t, 3*time.Second, o.Unchanged())
}

func TestObserverOfAStoreWithoutALease(t *testing.T) {
	const s = time.Second
	var o lease.Observer
	require.False(t, o.Vacant(), "nothing was asked")
	require.True(t, o.ObserveNone(0).Vacant(), "also at the origin of the clock")
	o = o.ObserveNone(s)
	require.True(t, o.Vacant())
	require.False(t, o.ObserveSome(2*s).Vacant(), "another party has made the first one")
	require.False(t, o.ObserveSome(2*s).ObserveNone(2*s).Vacant(), "it was asked before")
	require.True(t, o.ObserveSome(2*s).ObserveNone(2*s+1).Vacant())
	o = o.Observe(rev(1), 3*s)
	require.False(t, o.Vacant())
	require.False(t, o.ObserveNone(3*s).Vacant(), "the read was overtaken by the lease")
	require.True(t, o.ObserveNone(3*s+1).Vacant(), "a table that was restored from nothing")
	require.True(t, o.ObserveNone(4*s).ObserveSome(5*s).Vacant(), "what is known tells more than the refusal of a first lease")
	require.False(t, o.ObserveNone(4*s).Observe(rev(1), 5*s).Vacant())
}

func TestStill(t *testing.T) {
	const s = time.Second
	var v lease.Still[string]
	require.Zero(t, v.Unchanged(time.Hour))
	require.Equal(t, v, v.Adopt("", time.Hour, s), "the zero value of V is not known either")
	v = v.Observe("a", s)
	require.Equal(t, 2*s, v.Observe("a", 2*s).Unchanged(3*s))
	require.Zero(t, v.Observe("b", 3*s).Unchanged(3*s))
	require.Equal(t, s, v.Observe("b", 3*s).Observe("a", 4*s).Unchanged(5*s), "it has changed in between")
	require.Equal(t, 4*s, v.Adopt("a", 3*s, 2*s).Unchanged(3*s))
	require.Equal(t, v, v.Adopt("b", 3*s, 2*s))
}

func TestGrants(t *testing.T) {
	const valid = 5 * time.Second
	for name, c := range map[string]struct {
		lease.Grants
		end lease.Instant
	}{
		"neither":          {lease.Grants{StoreAt: lease.Never, PeerAt: lease.Never}, lease.Never + valid},
		"the store's":      {lease.Grants{StoreAt: 3 * time.Second, PeerAt: lease.Never}, 8 * time.Second},
		"the peer's":       {lease.Grants{StoreAt: lease.Never, PeerAt: 3 * time.Second}, 8 * time.Second},
		"both, the later":  {lease.Grants{StoreAt: 3 * time.Second, PeerAt: 4 * time.Second}, 9 * time.Second},
		"both, the other":  {lease.Grants{StoreAt: 4 * time.Second, PeerAt: 3 * time.Second}, 9 * time.Second},
		"before the start": {lease.Grants{StoreAt: -time.Second, PeerAt: lease.Never}, 4 * time.Second},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.end, c.End(valid)) })
	}
}
