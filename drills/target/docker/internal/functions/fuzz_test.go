package functions_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/functions"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/cloudwatch"
)

// FuzzEvent reads any line of a function's output, which must not panic, and reads back
// what cloudwatch.Events writes of a change of state.
func FuzzEvent(f *testing.F) {
	f.Add(`{"_aws":{"Timestamp":1},"StateChanges":1,"LeaseChanges":1,"VerdictChanges":1,"Problems":1}`, uint64(1))
	f.Add(`{"_aws":null,"Problems":1}`, uint64(0))
	f.Add(`{"_aws":{"Timestamp":-9223372036854775808},"Epoch":-1}`, uint64(1<<63))
	f.Add("null", uint64(3))
	f.Fuzz(func(t *testing.T, text string, n uint64) {
		var heard []dr.StateChange
		trace := &dr.Trace{
			State: func(c dr.StateChange) { heard = append(heard, c) },
			Lease: func(dr.LeaseChange) {}, Verdict: func(dr.VerdictChange) {}, Problem: func(p dr.Problem) { require.Error(t, p.Err) },
		}
		functions.Tell(text, trace)

		heard = nil
		var line bytes.Buffer
		events, err := cloudwatch.NewEvents(cloudwatch.EventsConfig{Writer: &line, Region: "us-west-2", GlobalCluster: "orders"})
		require.NoError(t, err)
		word := strings.ToValidUTF8(text, "?")
		if len(word) > 100 {
			word = "long" // events clip long details
		}
		told := dr.StateChange{
			At: time.UnixMilli(int64(n % 1e12)), Region: "us-west-2", Execution: word, From: "us-east-1", To: "us-west-2",
			Epoch: dr.Epoch(n), State: dr.State(word), Code: word, Detail: word,
		}
		events.Trace().OnState(told)
		for l := range strings.Lines(line.String()) {
			require.True(t, functions.Tell(l, trace), "%s", l)
		}
		require.NoError(t, events.Err())
		require.Equal(t, []dr.StateChange{told}, heard)
	})
}
