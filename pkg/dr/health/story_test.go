package health_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

var update = flag.Bool("update", false, "rewrite testdata from what Evaluate says")

// TestStories replays transcripts. A line "observe" is one round of answers, two
// seconds after the one before; the line under it is the verdict.
//
//	observe [after=2s] [self=dead] [FAMILY[@VANTAGE]=ANSWER[,lag=80ms][,lag-age=1s][,age=5s][,answers][,others=1][,dark-for=3s][,about=REGION]]...
func TestStories(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			got := replay(t, string(want))
			if *update {
				require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
				return
			}
			require.Equal(t, string(want), got, "run with -update and read the difference")
		})
	}
}

// began is when every story begins.
var began = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func replay(t *testing.T, text string) string {
	t.Helper()
	var out strings.Builder
	w := health.Window{Subject: "us-east-1", Vantage: "us-west-2"}
	now, policy := began.Add(-2*time.Second), dr.DefaultPolicy()
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(line, "  -> ") {
			continue
		}
		out.WriteString(line + "\n")
		words := strings.Fields(line)
		if len(words) == 0 || words[0] != "observe" {
			continue
		}
		r := round(t, &now, words[1:])
		w.Rounds = append(w.Rounds, r)
		v := health.Evaluate(policy, w, now.Add(100*time.Millisecond))
		out.WriteString("  -> " + sentence(v) + "\n")
	}
	return out.String()
}

// vantage is where a family is asked from unless a story says otherwise.
var vantage = map[health.Family]dr.Region{health.Heartbeat: health.Store, health.Witness: "us-east-2"}

func round(t *testing.T, now *time.Time, words []string) health.Round {
	t.Helper()
	r := health.Round{SelfCheck: health.Alive}
	after := 2 * time.Second
	for _, word := range words {
		key, value, ok := strings.Cut(word, "=")
		require.True(t, ok, word)
		switch key {
		case "after":
			after = duration(t, value)
			continue
		case "self":
			r.SelfCheck = answer(t, value)
			continue
		}
		family, from, _ := strings.Cut(key, "@")
		o := health.Observation{Subject: "us-east-1", Family: health.Family(family), Vantage: dr.Region(from), OtherInstances: -1}
		if from == "" {
			o.Vantage = "us-west-2"
			if v, ok := vantage[o.Family]; ok {
				o.Vantage = v
			}
		}
		parts := strings.Split(value, ",")
		o.Answer = answer(t, parts[0])
		at := now.Add(after)
		o.At = at
		lagAge := 100 * time.Millisecond
		for _, p := range parts[1:] {
			name, v, _ := strings.Cut(p, "=")
			switch name {
			case "age":
				o.At = at.Add(-duration(t, v))
			case "lag-age":
				lagAge = duration(t, v)
			case "lag":
				o.Lag = &health.Lag{Value: duration(t, v)}
			case "answers":
				o.RegionAnswers = true
			case "others":
				n, err := strconv.Atoi(v)
				require.NoError(t, err)
				o.OtherInstances = n
			case "about":
				o.Subject = dr.Region(v)
			case "dark-for":
				o.DarkFor = duration(t, v)
			default:
				t.Fatalf("%q: unknown attribute %q", word, name)
			}
		}
		if o.Lag != nil {
			o.Lag.At = at.Add(-lagAge)
		}
		if o.Answer == health.Dead {
			o.Cause = "silent"
		}
		r.Observations = append(r.Observations, o)
	}
	*now = now.Add(after)
	r.At = *now
	return r
}

func duration(t *testing.T, s string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(s)
	require.NoError(t, err)
	return d
}

func answer(t *testing.T, s string) health.Answer {
	t.Helper()
	for _, a := range []health.Answer{health.Unknown, health.Alive, health.Dead} {
		if a.String() == s {
			return a
		}
	}
	t.Fatalf("unknown answer %q", s)
	return health.Unknown
}

// sentence tells a verdict in one line; what is not set is not told.
func sentence(v health.Verdict) string {
	parts := []string{v.State.String()}
	tell := func(ok bool, format string, args ...any) {
		if ok {
			parts = append(parts, fmt.Sprintf(format, args...))
		}
	}
	tell(v.Serving, "serves")
	tell(len(v.Dark) > 0, "dark %v", v.Dark)
	tell(len(v.Suspect) > 0, "suspect %v", v.Suspect)
	tell(!v.DarkSince.IsZero(), "since %v", v.DarkSince.Sub(began))
	tell(len(v.Vantages) > 0, "seen by %v", v.Vantages)
	tell(v.MonitorDiedFirst, "its monitor died first")
	tell(v.Lag == nil, "lag unknown")
	if v.Lag != nil {
		tell(true, "lag %v, %v old", v.Lag.Value, v.LagAge)
	}
	tell(!v.GraceUntil.IsZero(), "grace until %v", v.GraceUntil.Sub(began))
	tell(len(v.Missing) > 0 && v.State != health.Healthy, "missing: %s", strings.Join(v.Missing, ", "))
	return strings.Join(parts, "; ")
}
