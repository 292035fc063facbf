package crashpoint_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/internal/crashpoint"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// good is a failover as it must be.
func good() crashpoint.Outcome {
	x := failover.Execution{ID: "0000000002-0001", Mode: failover.ModeFailover, From: "east", To: "west", Epoch: 2}
	x.Evidence.Dark = []health.Family{health.SQL, health.Heartbeat}
	x.Evidence.Vantages = []dr.Region{"west", "witness"}
	var entries []failover.Entry
	for i, to := range []struct {
		by failover.Kind
		in failover.State
	}{
		{failover.EvConfirmed, failover.Confirmed}, {failover.EvEpochTaken, failover.EpochTaken}, {failover.EvFenceProven, failover.Fenced},
		{failover.EvGatePassed, failover.LossAccepted}, {failover.EvPromoted, failover.Promoted}, {failover.EvVerified, failover.Verified},
		{failover.EvRedirected, failover.Redirected}, {failover.EvAnnounced, failover.Settled},
	} {
		x.Seq, x.State = i+1, to.in
		if to.by == failover.EvFenceProven {
			x.Proof = failover.ProofExpired
		}
		entries = append(entries, failover.Entry{Execution: x, Event: to.by})
	}
	return crashpoint.Outcome{
		Course: crashpoint.Course{Name: "failover"}, At: crashpoint.Point{Port: "agent/append", N: 1, Way: crashpoint.Killed}, Hit: true,
		Took: 20 * time.Second, To: "west", Entries: entries, Opened: true, Verified: 2,
		Ending: crashpoint.Ending{
			Moves: 1, Lands: "west", Lease: failover.Lease{Epoch: 2, Holder: "west", Execution: x.ID},
			Told: []failover.Message{{Subject: "moved", Body: "by " + x.ID}},
		},
	}
}

// TestTheJudgeSees: each of what must not be is named, and nothing else is.
func TestTheJudgeSees(t *testing.T) {
	require.Empty(t, good().Judge(good()))
	for want, spoil := range map[string]func(*crashpoint.Outcome){
		"it did not settle":                        func(o *crashpoint.Outcome) { o.Took = 0 },
		"it settled 5.001s later":                  func(o *crashpoint.Outcome) { o.Took += crashpoint.Late + time.Millisecond },
		"calls without a deadline":                 func(o *crashpoint.Outcome) { o.Loose = []crashpoint.Port{"agent/append"} },
		"2 writes are lost":                        func(o *crashpoint.Outcome) { o.Clients = []string{"2 writes are lost that had arrived"} },
		"2 promotions":                             func(o *crashpoint.Outcome) { o.Moves = 2 },
		"1 promotions, lease {Epoch:2 Holder:east": func(o *crashpoint.Outcome) { o.Lease.Holder = "east" },
		"1 promotions, lease {Epoch:3":             func(o *crashpoint.Outcome) { o.Lease.Epoch = 3 },
		"verified in epoch 1":                      func(o *crashpoint.Outcome) { o.Verified = 1 },
		"clients land in east":                     func(o *crashpoint.Outcome) { o.Lands = "east" },
		"the new writer is open: false":            func(o *crashpoint.Outcome) { o.Opened = false },
		"not one execution without a gap":          func(o *crashpoint.Outcome) { o.Entries[3].Execution.Seq = 9 },
		"promoted in state Confirmed":              func(o *crashpoint.Outcome) { o.Entries[1].Event = failover.EvPromoted },
		"verified happened 2 times":                func(o *crashpoint.Outcome) { o.Entries = append(o.Entries, o.Entries[5]) },
		"in state Redirected":                      func(o *crashpoint.Outcome) { o.Entries = o.Entries[:7] },
		`with proof ""`:                            func(o *crashpoint.Outcome) { o.Entries[7].Execution.Proof = "" },
		"promoted on evidence []":                  func(o *crashpoint.Outcome) { o.Entries[7].Execution.Evidence.Dark = nil },
		"acknowledged 0 times":                     func(o *crashpoint.Outcome) { o.Course.Asks = true },
		"mode failover":                            func(o *crashpoint.Outcome) { o.Course.Planned = true },
		"3 messages, not 1 to 2":                   func(o *crashpoint.Outcome) { o.Told = append(o.Told, o.Told[0], o.Told[0]) },
		"0 messages, not 1 to 2":                   func(o *crashpoint.Outcome) { o.Told = nil },
		"a message about something else: x":        func(o *crashpoint.Outcome) { o.Told[0] = failover.Message{Subject: "x"} },
	} {
		t.Run(want, func(t *testing.T) {
			o := good()
			spoil(&o)
			require.Contains(t, strings.Join(o.Judge(good()), "\n"), want)
		})
	}
}

// A single call may cost five seconds, however it went wrong; a burst lasts, and may cost
// as much after its end. One message more is allowed.
func TestTheJudgeAllows(t *testing.T) {
	o := good()
	o.Told, o.Tells = nil, true
	require.Empty(t, o.Judge(good()), "the topic refuses the message")
	o = good()
	o.Told = append(o.Told, o.Told[0])
	for _, way := range ways {
		o.At.Way, o.Took = way, good().Took+crashpoint.Late
		if way == crashpoint.Throttled {
			o.Took += crashpoint.Burst
		}
		require.Empty(t, o.Judge(good()), way.Name)
		o.Took++
		require.Len(t, o.Judge(good()), 1, way.Name)
	}
}
