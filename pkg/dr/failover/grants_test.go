package failover_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/internal/raced"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// regions runs an agent in every Region of a rig.
func (r *rig) regions() {
	for _, v := range topology.Vantages() {
		r.agent(v)
	}
	r.wait(10 * time.Second)
}

// both breaks a call in each of two ways.
func both(a, b func(drtest.Call) drtest.Fault) func(drtest.Call) drtest.Fault {
	return func(c drtest.Call) drtest.Fault {
		if f := a(c); f != (drtest.Fault{}) {
			return f
		}
		return b(c)
	}
}

// everywhere breaks the lease store for every Region.
func everywhere(bad drtest.Fault) func(drtest.Call) drtest.Fault {
	return func(c drtest.Call) drtest.Fault {
		if c.To == "" {
			return bad
		}
		return drtest.Fault{}
	}
}

// TestWhatKeepsAWriterOpen is the table of ARCHITECTURE.md, "What keeps a writer open":
// what fails for five minutes, and whether the writer serves all the while.
func TestWhatKeepsAWriterOpen(t *testing.T) {
	hang, refuse := drtest.Fault{Hang: true}, drtest.Fault{Err: errRefused}
	lost := drtest.Fault{Hang: true, Acts: true}
	full, unasked := drtest.Fault{Err: failover.ErrAnswered}, drtest.Fault{Err: health.ErrNotAsked}
	throttle := drtest.Fault{Err: errThrottled}
	none := func(drtest.Call) drtest.Fault { return drtest.Fault{} }
	peering := func(bad drtest.Fault) func(drtest.Call) drtest.Fault {
		return func(c drtest.Call) drtest.Fault {
			if c.From == east && c.To == west || c.From == west && c.To == east {
				return bad
			}
			return drtest.Fault{}
		}
	}
	link, refusing := peering(hang), peering(refuse)
	for name, c := range map[string]struct {
		breaks func(drtest.Call) drtest.Fault
		dead   []dr.Region // whose monitors stop
		closes bool
	}{
		"the store hangs in the writer's Region":                              {breaks: storeOf(east, hang)},
		"the store refuses in the writer's Region":                            {breaks: storeOf(east, refuse)},
		"the store hangs in the other Region":                                 {breaks: storeOf(west, hang)},
		"the store hangs in both members":                                     {breaks: both(storeOf(east, hang), storeOf(west, hang))},
		"the store hangs everywhere":                                          {breaks: everywhere(hang)},
		"the store refuses everywhere":                                        {breaks: everywhere(refuse)},
		"renewals act and their answers are lost":                             {breaks: calls(east, lost, drtest.OpRenewLease)},
		"renewals act and their answers are lost, reads hang":                 {breaks: calls(east, lost, drtest.OpRenewLease, drtest.OpReadLease)},
		"the peering is down":                                                 {breaks: link},
		"the other monitor is dead":                                           {breaks: none, dead: []dr.Region{west}},
		"the witness is dead":                                                 {breaks: none, dead: []dr.Region{witness}},
		"the store hangs everywhere and the witness is dead":                  {breaks: everywhere(hang), dead: []dr.Region{witness}},
		"too many connections for the heartbeat account":                      {breaks: calls(east, full, drtest.OpBeat)},
		"too many connections for both accounts":                              {breaks: calls(east, full, drtest.OpBeat, drtest.OpFence, drtest.OpOpen, drtest.OpRole)},
		"no login can be read":                                                {breaks: calls(east, unasked, drtest.OpBeat, drtest.OpFence, drtest.OpOpen, drtest.OpRole, drtest.OpReplicated)},
		"no login can be read in both members":                                {breaks: both(calls(east, unasked, drtest.OpBeat, drtest.OpFence), calls(west, unasked, drtest.OpBeat, drtest.OpProbe, drtest.OpReplicated))},
		"too many connections and the peering is down":                        {breaks: both(calls(east, full, drtest.OpBeat), link)},
		"commits are 3 s slow":                                                {breaks: calls(east, drtest.Fault{Delay: 3 * time.Second}, drtest.OpBeat)},
		"the store hangs in the writer's Region, the peering is down":         {breaks: both(storeOf(east, hang), link), closes: true},
		"the store hangs everywhere, the peering is down":                     {breaks: both(everywhere(hang), link), closes: true},
		"the store hangs everywhere, the other monitor is dead":               {breaks: everywhere(hang), dead: []dr.Region{west}, closes: true},
		"renewals are lost, the peering is down":                              {breaks: both(calls(east, lost, drtest.OpRenewLease), link), closes: true},
		"the store refuses in the writer's Region, the peering is down":       {breaks: both(storeOf(east, refuse), link), closes: true},
		"the store refuses everywhere, the peering is down":                   {breaks: both(everywhere(refuse), link), closes: true},
		"the store refuses everywhere, the other monitor is dead":             {breaks: everywhere(refuse), dead: []dr.Region{west}, closes: true},
		"the store refuses everywhere and the witness is dead":                {breaks: everywhere(refuse), dead: []dr.Region{witness}},
		"the store throttles in the writer's Region, the peering is down":     {breaks: both(storeOf(east, throttle), link), closes: true},
		"the store throttles everywhere, the peering is down":                 {breaks: both(everywhere(throttle), link), closes: true},
		"the store throttles everywhere, the other monitor is dead":           {breaks: everywhere(throttle), dead: []dr.Region{west}, closes: true},
		"the store throttles everywhere and the witness is dead":              {breaks: everywhere(throttle), dead: []dr.Region{witness}},
		"the store loses answers in the writer's Region, the peering is down": {breaks: both(storeOf(east, lost), link), closes: true},
		"the store loses answers everywhere, the peering is down":             {breaks: both(everywhere(lost), link), closes: true},
		"the store loses answers everywhere, the other monitor is dead":       {breaks: everywhere(lost), dead: []dr.Region{west}, closes: true},
		"the store loses answers everywhere and the witness is dead":          {breaks: everywhere(lost), dead: []dr.Region{witness}},
		"the store refuses in the writer's Region, the peering refuses":       {breaks: both(storeOf(east, refuse), refusing), closes: true},
		"the store throttles everywhere, the peering refuses":                 {breaks: both(everywhere(throttle), refusing), closes: true},
		"too many connections and the peering refuses":                        {breaks: both(calls(east, full, drtest.OpBeat), refusing)},
		"the peering refuses":                                                 {breaks: refusing},
		"the store throttles in the writer's Region":                          {breaks: storeOf(east, throttle)},
		"the store throttles everywhere":                                      {breaks: everywhere(throttle)},
		"the writer's own monitor is dead":                                    {breaks: none, dead: []dr.Region{east}},
	} {
		bubble(t, name, func(t *testing.T) {
			raced.Sample(t, 4)
			r := newRig(t, dr.Policy{})
			defer r.end()
			stops := make(map[dr.Region]func())
			for _, v := range topology.Vantages() {
				stops[v] = r.agent(v)
			}
			r.wait(10 * time.Second)
			for _, v := range c.dead {
				stops[v]()
			}
			r.breaks(c.breaks)
			closed := 0
			for range 3000 {
				r.wait(100 * time.Millisecond)
				if !r.Pair.DB(east).Accepts() {
					closed++
				}
			}
			require.Equal(t, c.closes, closed > 0, "closed for %v of 5 min, told %v", time.Duration(closed)*100*time.Millisecond, r.told())
			require.Empty(t, r.when(drtest.OpIsolate, east), "nothing is rebooted")
			if !c.closes {
				require.Zero(t, r.Cluster.Moves(), "nothing is moved")
			}
			r.breaks(nil)
			r.until("one of them serves", time.Minute, func() bool { return r.Pair.DB(east).Accepts() || r.Pair.DB(west).Accepts() })
		})
	}
}

// TestAHandoverWhileAnswersAreLost: writes to the store act everywhere and their answers are
// lost, so the writer is open by the peer's promises alone. The peer's monitor and then the
// writer's hand over to another process, which can't hear that its report was published.
func TestAHandoverWhileAnswersAreLost(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		stops := make(map[dr.Region]func())
		for _, v := range topology.Vantages() {
			stops[v] = r.agent(v)
		}
		r.wait(10 * time.Second)
		r.breaks(func(c drtest.Call) drtest.Fault {
			if storeWrites[c.Op] {
				return drtest.Fault{Hang: true, Acts: true}
			}
			return drtest.Fault{}
		})
		for i := range 600 {
			switch i {
			case 100:
				stops[west]()
				stops[west] = r.agent(west)
			case 300:
				stops[east]()
				stops[east] = r.agent(east)
			}
			r.wait(100 * time.Millisecond)
			require.True(t, r.Pair.DB(east).Accepts(), "%d %v", i, r.told())
		}
		require.Zero(t, r.Cluster.Moves(), "nothing is moved")
	})
}

// TestSlowIsNotDown: however slow the store answers within a grant, the writer stays open.
func TestSlowIsNotDown(t *testing.T) {
	for _, slow := range []time.Duration{0, 50, 100, 250, 270, 300, 500, 1000, 1500, 2000, 3000, 3250} {
		slow *= time.Millisecond
		bubble(t, slow.String(), func(t *testing.T) {
			r := newRig(t, dr.Policy{})
			defer r.end()
			r.guard(east) // without a peer's grant
			r.wait(5 * time.Second)
			r.breaks(storeOf(east, drtest.Fault{Delay: slow}))
			for range 600 {
				r.wait(100 * time.Millisecond)
				require.True(t, r.Pair.DB(east).Accepts(), "%v", r.told())
			}
			require.NotContains(t, r.told(), dr.LeaseFenced)
		})
	}
}

// TestAClosedWriterKeepsNoLeaseOnUnheardRenewals: renewals act and their answers are lost,
// and nothing else grants anything. The lease falls silent.
func TestAClosedWriterKeepsNoLeaseOnUnheardRenewals(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		r.guard(east)
		r.wait(5 * time.Second)
		r.breaks(calls(east, drtest.Fault{Hang: true, Acts: true}, drtest.OpRenewLease))
		r.until("the writer is closed", 2*ttl, r.closed(east))
		r.wait(20 * time.Second)
		served, _ := r.Store.Lease()
		silent := time.Duration(0)
		for last, since := served.Rev, time.Now(); time.Since(since) < time.Minute; r.wait(100 * time.Millisecond) {
			l, _ := r.Store.Lease()
			require.Equal(t, served.Served, l.Served, "no renewal says that the Region serves")
			if l.Rev != last {
				last, since = l.Rev, time.Now()
			}
			if silent = max(silent, time.Since(since)); silent > ttl+time.Second {
				break
			}
		}
		require.Greater(t, silent, ttl+250*time.Millisecond, "and it can be taken")
	})
}

// TestAnUnaskedServerProvesNothing: the lease of a guard that can't ask its server is kept,
// and the other Region doesn't take it for a proof of service.
func TestAnUnaskedServerProvesNothing(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		r.regions()
		r.breaks(calls(east, drtest.Fault{Err: health.ErrNotAsked}, drtest.OpBeat))
		r.wait(5 * time.Second)
		l, _ := r.Store.Lease()
		r.wait(10 * time.Second)
		later, _ := r.Store.Lease()
		require.Equal(t, l.Served, later.Served)
		require.Greater(t, later.Rev, l.Rev)
	})
}

// TestAMoveByOtherHandsIsFollowed: a person or AWS moves the writer. The guard of the old
// Region gives the lease back, within 10 s.
func TestAMoveByOtherHandsIsFollowed(t *testing.T) {
	bubble(t, "the old server is a secondary", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		r.guard(east)
		r.wait(5 * time.Second)
		require.NoError(t, r.Pair.Move(west, 3*time.Second, true))
		r.wait(3 * time.Second)
		r.until("the lease is given back", 3*time.Second, func() bool { l, _ := r.Store.Lease(); return l.Released })
		require.Contains(t, r.told(), dr.LeaseReleased)
		require.Empty(t, r.when(drtest.OpIsolate, east))
		r.wait(30 * time.Second)
		l, _ := r.Store.Lease()
		require.True(t, l.Released, "and stays so")
		require.Equal(t, 1, len(slices.DeleteFunc(r.told(), func(s string) bool { return s != dr.LeaseReleased })))
	})
	bubble(t, "the old server takes itself for the writer still", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		r.regions()
		require.NoError(t, r.Cluster.At(west).Failover(r.ctx, west)) // by hand
		r.until("the lease is given back", 15*time.Second, func() bool { l, _ := r.Store.Lease(); return l.Released || l.Holder == west })
		r.until("the old writer is closed", 2*time.Second, r.closed(east))
		r.until("the writer is adopted", 10*time.Second, r.open(west))
		r.until("and settled", 15*time.Second, r.in(failover.Settled))
		require.Equal(t, failover.ModeAdopt, r.last().Execution.Mode)
		require.Equal(t, 1, r.Cluster.Moves(), "nothing was moved but by hand")
	})
}
