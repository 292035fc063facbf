package trigger_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/event"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
)

// Whatever becomes of an execution, a line of the log says which one, its epoch and its
// state, in fields of their own.
func TestTheLogNamesTheExecution(t *testing.T) {
	slow := drtest.WorldConfig{Promotion: func() time.Duration { return time.Minute }}
	bubble(t, slow, dr.Policy{}, func(t *testing.T, r *rig) {
		var out bytes.Buffer
		cfg := r.config(west)
		cfg.Log = slog.New(slog.NewJSONHandler(&out, nil))
		logged := func() (lines []map[string]any) {
			for d := json.NewDecoder(&out); d.More(); {
				var l map[string]any
				require.NoError(t, d.Decode(&l))
				lines = append(lines, l)
			}
			return lines
		}
		_, err := r.call(cfg, lambdaLimit, request(event.Failover, west))
		require.NoError(t, err)
		got := logged()
		require.Len(t, got, 1, "nothing was to be done")
		require.Equal(t, "asked", got[0]["msg"])

		r.CutRegion(east, true)
		_, err = r.call(cfg, 30*time.Second, request(event.Failover, west))
		require.Error(t, err)
		got = logged()
		require.Len(t, got, 2)
		require.Equal(t, "stopped", got[1]["msg"])
		require.Equal(t, "ERROR", got[1]["level"])
		require.Equal(t, "0000000002-0001", got[1]["execution"])
		require.EqualValues(t, 2, got[1]["epoch"])
		require.Equal(t, "LossAccepted", got[1]["state"])

		_, err = r.call(cfg, lambdaLimit, request(event.Failover, west))
		require.NoError(t, err)
		got = logged()
		require.Len(t, got, 2)
		require.Equal(t, "walked", got[1]["msg"])
		require.Equal(t, "0000000002-0001", got[1]["execution"])
		require.EqualValues(t, 2, got[1]["epoch"])
		require.Equal(t, "Settled", got[1]["state"])
	})
}
