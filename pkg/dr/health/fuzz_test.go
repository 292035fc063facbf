package health_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// FuzzEvaluate holds Evaluate against an oracle that states the rules one by one,
// slowly and in other words, on windows decoded from arbitrary bytes.
func FuzzEvaluate(f *testing.F) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 64 {
		seed := make([]byte, 4+rng.IntN(120))
		for i := range seed {
			seed[i] = byte(rng.UintN(256))
		}
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) { hold(t, data) })
}

// TestEvaluateAgainstTheOracle runs the fuzz target over many drawn windows, so
// that plain go test compares more than the corpus.
func TestEvaluateAgainstTheOracle(t *testing.T) {
	states := make(map[health.State]int)
	for seed := range uint64(20_000) {
		rng := rand.New(rand.NewPCG(seed, 7))
		data := make([]byte, 4+rng.IntN(160))
		for i := range data {
			data[i] = byte(rng.UintN(256))
		}
		states[hold(t, data)]++
	}
	for s := health.StateUnknown; s <= health.Impaired; s++ {
		require.Greater(t, states[s], 100, "%s must be met often enough to compare: %v", s, states)
	}
}

func hold(t *testing.T, data []byte) health.State {
	w, now := decode(data)
	p := dr.DefaultPolicy()
	v := health.Evaluate(p, w, now)
	impaired := oracle(p, w, now)
	require.Equal(t, impaired, v.State == health.Impaired, "%s", v.Why())
	require.Equal(t, v.State == health.Impaired, len(v.Missing) == 0, "every verdict but Impaired names what is missing")
	if v.State != health.Impaired {
		return v.State
	}
	require.GreaterOrEqual(t, len(v.Dark), 2)
	require.GreaterOrEqual(t, len(v.Vantages), 2)
	require.False(t, v.Serving)
	require.False(t, v.DarkSince.IsZero())
	if v.Lag != nil {
		require.GreaterOrEqual(t, v.LagAge, time.Duration(0), "a lag from after the fault is no lag")
	}
	return v.State
}

// decode makes a window of bytes. Dead is likelier than its share, and rounds often
// repeat the one before, or nothing would ever be dark long enough.
func decode(data []byte) (health.Window, time.Time) {
	next := func() int {
		if len(data) == 0 {
			return 0
		}
		b := data[0]
		data = data[1:]
		return int(b)
	}
	w := health.Window{Subject: "us-east-1", Vantage: "us-west-2"}
	now := began
	for len(data) > 0 && len(w.Rounds) < 24 {
		kind := next()
		if kind%3 != 0 && len(w.Rounds) > 0 {
			last := w.Rounds[len(w.Rounds)-1]
			now = now.Add(2 * time.Second)
			again := health.Round{At: now, SelfCheck: last.SelfCheck}
			for _, o := range last.Observations {
				o.At, o.Lag = o.At.Add(2*time.Second), nil
				again.Observations = append(again.Observations, o)
			}
			w.Rounds = append(w.Rounds, again)
			continue
		}
		now = now.Add(time.Duration(1+kind/3%6) * time.Second)
		r := health.Round{At: now, SelfCheck: []health.Answer{health.Alive, health.Alive, health.Alive, health.Dead}[next()%4]}
		for range next() % 7 {
			a, b, c := next(), next(), next()
			o := health.Observation{
				Subject: w.Subject, OtherInstances: b>>6%3 - 1, RegionAnswers: b&32 != 0,
				Family:  []health.Family{health.SQL, health.Heartbeat, health.Control, health.Replication, health.Witness, health.SQL, health.Heartbeat, health.Heartbeat}[a%8],
				Vantage: []dr.Region{"us-west-2", health.Store, "us-east-2", "us-west-2"}[a>>3%4],
				Answer:  []health.Answer{health.Dead, health.Dead, health.Dead, health.Dead, health.Dead, health.Unknown, health.Alive, health.Dead}[a>>5%8],
				At:      now.Add(-time.Duration(b&7) * 700 * time.Millisecond),
			}
			if b&8 != 0 && o.Answer == health.Dead {
				o.DarkFor = time.Duration(b) * 40 * time.Millisecond
			}
			if b&16 != 0 {
				o.Lag = &health.Lag{Value: time.Second, At: o.At}
			}
			switch c % 40 { // one that must not count
			case 0:
				o.Subject = "eu-west-1"
			case 1:
				o.Subject = " us-east-1"
			case 2:
				o.Subject = ""
			case 3:
				o.Family = "SQL"
			case 4:
				o.Vantage = w.Subject
			case 5:
				o.Vantage = ""
			case 6:
				o.At = now.Add(time.Hour)
			}
			r.Observations = append(r.Observations, o)
			if c >= 200 {
				r.Observations = append(r.Observations, o)
			}
		}
		w.Rounds = append(w.Rounds, r)
	}
	switch last := next(); {
	case last >= 250:
		w.Vantage = w.Subject
	case last >= 220:
		slices.Reverse(w.Rounds)
	}
	return w, now.Add(time.Duration(next()%6) * time.Second)
}

// clean is a window by the rules of what counts at all, in words of its own.
func clean(w health.Window, now time.Time) health.Window {
	families := []health.Family{health.SQL, health.Heartbeat, health.Control, health.Replication, health.Witness}
	out := health.Window{Subject: w.Subject, Vantage: w.Vantage}
	for _, r := range w.Rounds {
		kept := health.Round{At: r.At, SelfCheck: r.SelfCheck}
		for _, o := range r.Observations {
			named := o.Subject == "us-east-1" && slices.Contains(families, o.Family)
			elsewhere := o.Vantage == "us-west-2" || o.Vantage == "us-east-2" || o.Vantage == health.Store && o.Family == health.Heartbeat
			if named && elsewhere && !now.Before(o.At) {
				kept.Observations = append(kept.Observations, o)
			}
		}
		at := len(out.Rounds)
		for at > 0 && out.Rounds[at-1].At.After(kept.At) {
			at--
		}
		out.Rounds = slices.Insert(out.Rounds, at, kept)
	}
	return out
}

// oracle says whether a window proves a Region Impaired. It asks every question of
// the raw window and shares nothing with Evaluate.
func oracle(p dr.Policy, w health.Window, now time.Time) bool {
	if w.Vantage == w.Subject {
		return false
	}
	w = clean(w, now)
	n := len(w.Rounds)
	if n == 0 || now.Sub(w.Rounds[n-1].At) > 2*p.ProbeInterval {
		return false
	}
	all := []health.Family{health.SQL, health.Heartbeat, health.Control, health.Replication, health.Witness}
	data := []health.Family{health.SQL, health.Heartbeat, health.Replication}

	// says reports whether family f has an observation with answer a that counts in
	// round i; the observations themselves are returned for their vantages.
	says := func(i int, f health.Family, a health.Answer) (found []health.Observation) {
		r := w.Rounds[i]
		for _, o := range r.Observations {
			void := r.At.Sub(o.At) > 2*p.ProbeInterval
			muted := o.Answer == health.Dead && r.SelfCheck != health.Alive && (o.Vantage == w.Vantage || o.Vantage == health.Store)
			if o.Family == f && o.Answer == a && !void && !muted {
				found = append(found, o)
			}
		}
		return found
	}
	dead := func(i int, f health.Family) bool {
		return len(says(i, f, health.Dead)) > 0 && len(says(i, f, health.Alive)) == 0
	}
	serves := func(i int) bool {
		return slices.ContainsFunc(data, func(f health.Family) bool { return len(says(i, f, health.Alive)) > 0 })
	}
	// reach is how far back from the end f is dead in consecutive samples.
	reach := func(f health.Family) int {
		k := 0
		for k < n && dead(n-1-k, f) && (k == 0 || w.Rounds[n-k].At.Sub(w.Rounds[n-1-k].At) <= 2*p.ProbeInterval) {
			k++
		}
		return k
	}

	dark, vantages, since := 0, map[dr.Region]bool{}, time.Time{}
	onData := false
	for _, f := range all {
		k := reach(f)
		if k == 0 {
			continue
		}
		at := w.Rounds[n-k].At
		for _, o := range says(n-1, f, health.Dead) {
			if watched := w.Rounds[n-1].At.Add(-o.DarkFor); watched.Before(at) {
				at = watched
			}
		}
		if since.IsZero() || at.Before(since) {
			since = at
		}
		long := k >= p.Confirm
		for _, o := range says(n-1, f, health.Dead) {
			long = long || o.DarkFor >= time.Duration(p.Confirm-1)*p.ProbeInterval
		}
		if !long {
			continue
		}
		dark++
		onData = onData || slices.Contains(data, f)
		for _, o := range says(n-1, f, health.Dead) {
			vantages[o.Vantage] = true
		}
	}
	answered := dead(n-1, health.SQL) && dead(n-1, health.Heartbeat)
	if dark < 2 || !onData || len(vantages) < p.MinVantages || serves(n-1) || !answered {
		return false
	}

	// The grace runs from the last proof that the writer served.
	answers, others := false, false
	for _, f := range all {
		for _, a := range []health.Answer{health.Alive, health.Dead, health.Unknown} {
			for _, o := range counted(w, n-1, f, a, p) {
				answers, others = answers || o.RegionAnswers, others || o.OtherInstances > 0
			}
		}
	}
	if !answers || !others {
		return true
	}
	for i := n - 1; i >= 0; i-- {
		if !serves(i) {
			continue
		}
		for _, f := range data {
			for _, o := range says(i, f, health.Alive) {
				if o.At.After(since) {
					since = o.At
				}
			}
		}
		break
	}
	return !since.Add(p.InRegionGrace).After(now)
}

// counted returns the observations of a round that are not void, muted or not:
// what a muted one shows besides its answer still holds.
func counted(w health.Window, i int, f health.Family, a health.Answer, p dr.Policy) (found []health.Observation) {
	for _, o := range w.Rounds[i].Observations {
		if o.Family == f && o.Answer == a && w.Rounds[i].At.Sub(o.At) <= 2*p.ProbeInterval {
			found = append(found, o)
		}
	}
	return found
}
