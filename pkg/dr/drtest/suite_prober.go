package drtest

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// Probed is what the Prober suite acts on: a prober and a healthy Region that it asks about.
type Probed struct {
	Prober health.Prober
	// Vantage asks, and Subject is asked about. A change in the Subject must not be waited
	// for: where one must have arrived lately, the prober that is given here makes one.
	Vantage, Subject dr.Region
	// Foreign is a Region about which the prober can't ask. It is empty for one that asks
	// what has arrived here, whichever Region it came from.
	Foreign dr.Region
	// Silence has everything fall silent that the prober asks.
	Silence func()
	// Unasked are states in which the question can't be put properly, each entered by a
	// call: throttling, a denied login, a name that is not resolved.
	Unasked map[string]func()
	// Watches says that the prober tells what it has watched before, and what others have
	// asked: silence and a call that was called off show in what it tells later.
	Watches bool
}

// TestProber holds a health.Prober against its documentation. open is called once for every
// part.
func TestProber(t *testing.T, open func(t *testing.T) Probed) {
	probe := func(t *testing.T, p Probed, ctx context.Context, subject dr.Region) []health.Observation {
		t.Helper()
		got := make(chan []health.Observation, 1)
		go func() { got <- p.Prober.Probe(ctx, subject) }()
		select {
		case all := <-got:
			named(t, p, subject, all)
			return all
		case <-time.After(patience):
			require.FailNow(t, "the contract of health.Prober: Probe returns by the deadline of its context, whatever does not answer", "not within %v", patience)
			return nil
		}
	}

	t.Run("a healthy Region is alive", func(t *testing.T) {
		p := open(t)
		var all []health.Observation
		eventually(t, "it is alive", func() bool {
			all = probe(t, p, callContext(t), p.Subject)
			return len(all) > 0 && !slices.ContainsFunc(all, func(o health.Observation) bool { return o.Answer != health.Alive })
		})
		w := health.Window{Subject: p.Subject, Vantage: p.Vantage}
		for _, o := range all {
			require.Empty(t, w.Refuses(o, time.Now()), "the contract of health.Prober: an observation is one that the evaluation counts: a known family, a vantage that is not the subject, and a time that has come")
			require.Empty(t, o.Cause, "the contract of health.Observation: Cause says why it is not Alive")
		}
	})

	t.Run("silence is not alive, and ends at the deadline", func(t *testing.T) {
		p := open(t)
		p.Silence()
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		for _, o := range probe(t, p, ctx, p.Subject) {
			if p.Watches {
				require.NotEqual(t, health.Dead, o.Answer, "the contract of health.Prober: what is watched is dead by how long it was silent, not by one question without an answer")
				continue
			}
			require.NotEqual(t, health.Alive, o.Answer, "the contract of health.Prober: only an answer shows that a Region serves")
			require.False(t, o.RegionAnswers, "the contract of health.Observation: RegionAnswers is set by an answer")
			require.NotEmpty(t, o.Cause, "the contract of health.Observation: Cause says why it is not Alive")
		}
	})

	t.Run("a question that was called off is unknown", func(t *testing.T) {
		p := open(t)
		for _, o := range probe(t, p, endedContext(t), p.Subject) {
			unasked(t, p, o)
		}
	})

	for name := range open(t).Unasked {
		t.Run("a question that could not be put is unknown: "+name, func(t *testing.T) {
			p := open(t)
			p.Unasked[name]()
			for _, o := range probe(t, p, callContext(t), p.Subject) {
				unasked(t, p, o)
			}
		})
	}

	t.Run("a Region about which it can't ask is unknown", func(t *testing.T) {
		p := open(t)
		if p.Foreign == "" {
			return // it asks about none
		}
		for _, o := range probe(t, p, callContext(t), p.Foreign) {
			require.Equal(t, health.Unknown, o.Answer, "the contract of health.Prober: what the prober can't ask is Unknown, never Dead: %s", o.Method)
			require.False(t, o.RegionAnswers, "the contract of health.Observation: RegionAnswers is set by an answer")
		}
	})
}

// unasked holds an observation of a question that was never put.
func unasked(t *testing.T, p Probed, o health.Observation) {
	t.Helper()
	const contract = "the contract of health.Prober: a question that could not be put properly is Unknown, never Dead: %s: %s"
	if p.Watches {
		require.NotEqual(t, health.Dead, o.Answer, contract, o.Method, o.Cause)
		return
	}
	require.Equal(t, health.Unknown, o.Answer, contract, o.Method, o.Cause)
	require.NotEmpty(t, o.Cause, "the contract of health.Observation: Cause says why it is not Alive")
}

// named holds what every observation is, whatever the answer.
func named(t *testing.T, p Probed, subject dr.Region, all []health.Observation) {
	t.Helper()
	for _, o := range all {
		require.Equal(t, subject, o.Subject, "the contract of health.Prober: every observation names the subject that was given, as it was given")
		require.NotEmpty(t, o.Method, "the contract of health.Observation: Method says what was done")
		require.False(t, o.At.IsZero() || o.At.After(time.Now()), "the contract of health.Observation: At is when it was asked: %v", o.At)
		require.GreaterOrEqual(t, o.OtherInstances, -1, "the contract of health.Observation: OtherInstances is a number, or -1 when it is not known")
		if !p.Watches {
			require.Equal(t, p.Vantage, o.Vantage, "the contract of health.Observation: Vantage is the Region that asked")
		}
	}
}
