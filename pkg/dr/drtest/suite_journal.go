package drtest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// noon is when the suites' histories happen.
var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func entry(id string, seq int, s failover.State, m failover.Mode, at time.Time) failover.Entry {
	return failover.Entry{
		Execution: failover.Execution{ID: id, Seq: seq, Mode: m, From: "us-east-1", To: "us-west-2", State: s},
		Event:     failover.EvConfirmed, At: at,
	}
}

// announced is the entry that settles an execution.
func announced(id string, seq int, m failover.Mode, at time.Time) failover.Entry {
	e := entry(id, seq, failover.Settled, m, at)
	e.Event = failover.EvAnnounced
	return e
}

// TestJournal holds a Journal against its documentation. open returns an empty one.
func TestJournal(t *testing.T, open func(t *testing.T) failover.Journal) {
	t.Run("an empty journal says so", func(t *testing.T) {
		j, ctx := open(t), callContext(t)
		_, err := j.Latest(ctx)
		require.ErrorIs(t, err, failover.ErrNoEntry)
		n, err := j.Settled(ctx, time.Time{})
		require.NoError(t, err)
		require.Zero(t, n)
	})

	t.Run("an entry comes back as it was", func(t *testing.T) {
		j, ctx := open(t), callContext(t)
		want := failover.Entry{
			Execution: failover.Execution{
				ID: "0000000007-0001", Seq: 1, Mode: failover.ModeFailover, From: "us-east-1", To: "us-west-2",
				State: failover.AwaitingApproval, Asked: failover.Confirmed, Code: failover.CodeLagAboveLimit, Detail: "5s > 1s, \"quoted\" – ünïcode",
				Epoch: 7, Unchanged: 1750*time.Millisecond + 1, TakenRev: 1 << 60, Proof: failover.ProofExpired,
				Evidence: failover.Evidence{
					DarkSince: noon.Add(-3 * time.Second), Dark: []health.Family{health.SQL, health.Heartbeat},
					Vantages: []dr.Region{"us-west-2", health.Store}, MonitorDiedFirst: true,
					Lag: 5 * time.Second, LagAge: time.Second, LagKnown: true, LeaseRev: 41, Recent: 1, Witness: true, Why: "sql dead",
				},
				Origin: failover.Origin{By: "jane", Reason: "planned"}, Last: failover.Origin{By: "jane", Reason: "not today"}, Back: 8, Released: true,
				Question: failover.Question{ID: "2", Codes: []failover.Code{failover.CodeLagAboveLimit, failover.CodeFailoverBudget}, Lag: 5 * time.Second, LagKnown: true},
				Ack:      &failover.Acknowledgement{Execution: "0000000007-0001", Question: "1", By: "ops", Reason: "the Region is gone"},
				Accepted: failover.Question{ID: "1", Codes: []failover.Code{failover.CodeLagUnknown}},
				Pause:    &failover.Pause{Until: noon.Add(time.Hour), By: "jane", Reason: "maintenance"},
				Owed:     []failover.Notice{{What: failover.NoticeQuestion, Question: "2"}, {What: failover.NoticeMoved}},
			},
			Version: failover.JournalVersion, Event: failover.EvConfirmed, At: noon,
		}
		require.NoError(t, j.Append(ctx, want))
		got, err := j.Latest(ctx)
		require.NoError(t, err)
		require.WithinDuration(t, want.At, got.At, time.Millisecond)
		require.WithinDuration(t, want.Execution.Evidence.DarkSince, got.Execution.Evidence.DarkSince, time.Millisecond)
		got.At, got.Execution.Evidence.DarkSince = want.At, want.Execution.Evidence.DarkSince
		require.Equal(t, want, got)
	})

	t.Run("a place is taken once", func(t *testing.T) {
		j, ctx := open(t), callContext(t)
		require.NoError(t, j.Append(ctx, entry("0000000002-0001", 1, failover.Confirmed, failover.ModeFailover, noon)))
		err := j.Append(ctx, entry("0000000002-0001", 1, failover.Aborted, failover.ModeFailover, noon))
		require.ErrorIs(t, err, failover.ErrConflict)
		got, err := j.Latest(ctx)
		require.NoError(t, err)
		require.Equal(t, failover.Confirmed, got.Execution.State, "the first entry stays")
		require.NoError(t, j.Append(ctx, entry("0000000002-0002", 1, failover.Confirmed, failover.ModeFailover, noon)), "another execution has places of its own")
	})

	t.Run("of concurrent writers exactly one gets the place", func(t *testing.T) {
		j, ctx := open(t), callContext(t)
		for seq := 1; seq <= 3; seq++ {
			won := 0
			// Entries that differ, as two processes' do: an adapter whose answer was lost looks for
			// its own entry, and can't tell an equal one of another writer from it.
			for _, err := range race(racers, func(i int) error {
				return j.Append(ctx, entry("0000000002-0001", seq, failover.Confirmed, failover.ModeFailover, noon.Add(time.Duration(i)*time.Second)))
			}) {
				if err == nil {
					won++
					continue
				}
				require.ErrorIs(t, err, failover.ErrConflict)
			}
			require.Equal(t, 1, won)
		}
	})

	t.Run("latest is the last entry of the newest execution", func(t *testing.T) {
		j, ctx := open(t), callContext(t)
		latest := func() (string, int) {
			e, err := j.Latest(ctx)
			require.NoError(t, err)
			return e.Execution.ID, e.Execution.Seq
		}
		for seq := 1; seq <= 11; seq++ { // 10 comes after 9, not after 1
			require.NoError(t, j.Append(ctx, entry("0000000009-0001", seq, failover.LossAccepted, failover.ModeFailover, noon)))
			id, last := latest()
			require.Equal(t, "0000000009-0001", id)
			require.Equal(t, seq, last)
		}
		require.NoError(t, j.Append(ctx, entry("0000000009-0002", 1, failover.Confirmed, failover.ModeFailover, noon)))
		id, seq := latest()
		require.Equal(t, "0000000009-0002", id, "a second attempt at the same epoch is newer")
		require.Equal(t, 1, seq)
		require.NoError(t, j.Append(ctx, entry("0000000010-0001", 1, failover.Confirmed, failover.ModeSwitchover, noon)))
		require.NoError(t, j.Append(ctx, entry("0000000009-0001", 12, failover.Settled, failover.ModeFailover, noon.Add(time.Hour))))
		id, _ = latest()
		require.Equal(t, "0000000010-0001", id, "an entry that comes late does not make its execution the newest")
	})

	t.Run("an entry of a newer version is an error, and no entry", func(t *testing.T) {
		j, ctx := open(t), callContext(t)
		e := entry("0000000002-0001", 1, failover.Confirmed, failover.ModeFailover, noon)
		e.Version = failover.JournalVersion + 1
		require.NoError(t, j.Append(ctx, e))
		got, err := j.Latest(ctx)
		require.ErrorIs(t, err, failover.ErrNewerEntry, "what a newer version has written must not be read as if it were known")
		require.Zero(t, got)
	})

	t.Run("settled counts automatic failovers since an instant", func(t *testing.T) {
		j, ctx := open(t), callContext(t)
		for i, e := range []failover.Entry{
			entry("0000000002-0001", 1, failover.Redirected, failover.ModeFailover, noon),
			announced("0000000002-0001", 2, failover.ModeFailover, noon),
			entry("0000000002-0001", 3, failover.Settled, failover.ModeFailover, noon.Add(time.Minute)), // told, or paused: not once more
			announced("0000000003-0001", 1, failover.ModeSwitchover, noon.Add(time.Minute)),
			entry("0000000004-0001", 1, failover.Aborted, failover.ModeFailover, noon.Add(2*time.Minute)),
			announced("0000000005-0001", 1, failover.ModeFailover, noon.Add(30*time.Minute)),
			entry("0000000006-0001", 1, failover.AwaitingApproval, failover.ModeFailover, noon.Add(40*time.Minute)),
		} {
			require.NoError(t, j.Append(ctx, e), "entry %d", i)
		}
		for _, c := range []struct {
			since time.Time
			want  int
		}{{noon.Add(-time.Second), 2}, {noon.Add(time.Second), 1}, {noon.Add(time.Hour), 0}} {
			n, err := j.Settled(ctx, c.since)
			require.NoError(t, err)
			require.Equal(t, c.want, n, "since %v", c.since)
		}
	})

	t.Run("no call succeeds under an ended context", func(t *testing.T) {
		j := open(t)
		require.Error(t, j.Append(endedContext(t), entry("0000000002-0001", 1, failover.Confirmed, failover.ModeFailover, noon)))
		_, err := j.Latest(endedContext(t))
		require.Error(t, err)
		require.NotErrorIs(t, err, failover.ErrNoEntry, "the journal was not read")
		_, err = j.Settled(endedContext(t), noon)
		require.Error(t, err)
	})
}

// TestAcknowledger holds an Acknowledger against its documentation. open returns an
// empty one.
func TestAcknowledger(t *testing.T, open func(t *testing.T) failover.Acknowledger) {
	const id = "0000000007-0001"
	want := failover.Acknowledgement{Execution: id, Question: "1", By: "ops", Reason: "the Region is gone"}

	t.Run("an acknowledgement counts for its execution and question", func(t *testing.T) {
		a, ctx := open(t), callContext(t)
		_, err := a.Acknowledgement(ctx, id, "1")
		require.ErrorIs(t, err, failover.ErrNotAcknowledged)
		require.NoError(t, a.Acknowledge(ctx, want))
		got, err := a.Acknowledgement(ctx, id, "1")
		require.NoError(t, err)
		require.Equal(t, want, got)
		for _, other := range [][2]string{{id, "2"}, {id, "11"}, {"0000000007-0002", "1"}, {"0000000008-0001", "1"}, {"0000000007", "0001#1"}} {
			_, err = a.Acknowledgement(ctx, other[0], other[1])
			require.ErrorIs(t, err, failover.ErrNotAcknowledged, "contract: a consent counts for no other question: %v", other)
		}
	})

	t.Run("the first answer stays, and the same one again is success", func(t *testing.T) {
		a, ctx := open(t), callContext(t)
		require.NoError(t, a.Acknowledge(ctx, want))
		require.NoError(t, a.Acknowledge(ctx, want), "contract: the same answer again is success: the first response may have been lost")
		second := want
		second.By = "another"
		require.ErrorIs(t, a.Acknowledge(ctx, second), failover.ErrAcknowledged, "contract: the first answer to a question stays, and another one is ErrAcknowledged")
		got, err := a.Acknowledgement(ctx, id, "1")
		require.NoError(t, err)
		require.Equal(t, want, got)
		next := want
		next.Question = "2"
		require.NoError(t, a.Acknowledge(ctx, next), "the next question has an answer of its own")
	})

	t.Run("no call succeeds under an ended context", func(t *testing.T) {
		a := open(t)
		require.Error(t, a.Acknowledge(endedContext(t), want))
		_, err := a.Acknowledgement(endedContext(t), id, "1")
		require.Error(t, err)
		require.NotErrorIs(t, err, failover.ErrNotAcknowledged, "nothing was looked at")
	})
}

// TestReports holds Reports against its documentation. open returns an empty
// one.
func TestReports(t *testing.T, open func(t *testing.T) failover.Reports) {
	full := failover.Report{
		Region: "us-west-2", Seq: 1 << 52, FencedEpoch: 3, FencedRev: 17, FenceFailed: 2, LeaseRev: 19, LeaseUnchanged: 1234567890 * time.Nanosecond, MonitorDiedFirst: true,
		Observations: []failover.Observation{
			{Subject: "us-east-1", Family: health.SQL, Method: "heartbeat write", Answer: health.Dead, Cause: "timeout", Age: 40 * time.Millisecond},
			{Subject: "us-east-1", Family: health.Control, Method: "describe", Answer: health.Alive, RegionAnswers: true},
			{Subject: "us-east-1", Family: health.Witness, Answer: health.Unknown, Cause: "blind"},
		},
	}

	t.Run("what is published is read", func(t *testing.T) {
		h, ctx := open(t), callContext(t)
		got, err := h.Reports(ctx)
		require.NoError(t, err)
		require.Empty(t, got)
		bare := failover.Report{Region: "us-east-2", Seq: 1}
		require.NoError(t, h.Publish(ctx, full))
		require.NoError(t, h.Publish(ctx, bare))
		got, err = h.Reports(ctx)
		require.NoError(t, err)
		require.Len(t, got, 2)
		for _, g := range got {
			if g.Region == full.Region {
				require.Equal(t, full, g)
				continue
			}
			require.Empty(t, g.Observations)
			g.Observations = nil
			require.Equal(t, bare, g)
		}
	})

	t.Run("a report replaces the one before it whole", func(t *testing.T) {
		h, ctx := open(t), callContext(t)
		require.NoError(t, h.Publish(ctx, full))
		require.NoError(t, h.Publish(ctx, failover.Report{Region: full.Region, Seq: full.Seq + 1}))
		got, err := h.Reports(ctx)
		require.NoError(t, err)
		require.Len(t, got, 1)
		require.Equal(t, full.Seq+1, got[0].Seq)
		require.Zero(t, got[0].FencedEpoch, "contract: Publish replaces the report whole: what is not repeated is withdrawn")
		require.Empty(t, got[0].Observations)
	})

	t.Run("a late report does not replace a newer one", func(t *testing.T) {
		h, ctx := open(t), callContext(t)
		require.NoError(t, h.Publish(ctx, full))
		require.Error(t, h.Publish(ctx, failover.Report{Region: full.Region, Seq: full.Seq - 1}), "contract: Publish refuses a report that is older than the one that is there")
		got, err := h.Reports(ctx)
		require.NoError(t, err)
		require.Equal(t, []failover.Report{full}, got, "contract: a refused report changes nothing")
	})

	t.Run("Regions do not disturb each other", func(t *testing.T) {
		h, ctx := open(t), callContext(t)
		regions := []dr.Region{"us-east-1", "us-west-2", "us-east-2"}
		for _, err := range race(len(regions), func(i int) error {
			for seq := uint64(1); seq <= 5; seq++ {
				if err := h.Publish(ctx, failover.Report{Region: regions[i], Seq: seq}); err != nil {
					return err
				}
			}
			return nil
		}) {
			require.NoError(t, err)
		}
		got, err := h.Reports(ctx)
		require.NoError(t, err)
		require.Len(t, got, len(regions))
		for _, g := range got {
			require.Equal(t, uint64(5), g.Seq, "%s", g.Region)
		}
	})

	t.Run("no call succeeds under an ended context", func(t *testing.T) {
		h := open(t)
		require.Error(t, h.Publish(endedContext(t), full))
		_, err := h.Reports(endedContext(t))
		require.Error(t, err)
	})
}
