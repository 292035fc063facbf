package dr_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// FuzzPolicy reads any JSON as a policy: what is accepted is written in a form that
// reads back equal, and can be judged.
func FuzzPolicy(f *testing.F) {
	for _, s := range []string{
		`{}`, `null`, `{"lease_ttl":"6s","confirm":3,"rpo_guard":true,"no_witness":"refuse"}`, `{"objectives":{"rto":"60s","rpo":"1s"}}`,
		`{"lease_ttl":"-9223372036854775808ns"}`, `{"poll_interval":"1e3s"}`, `{"confirm":-1,"max_failovers":9223372036854775807}`, `{"watchdog":1}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var p dr.Policy
		if err := json.Unmarshal(data, &p); err != nil {
			return
		}
		text, err := json.Marshal(p)
		require.NoError(t, err)
		var again dr.Policy
		require.NoError(t, json.Unmarshal(text, &again), "%s", text)
		require.Equal(t, p, again)

		_ = p.Validate() // must not panic, nor may the rest
		full := p.WithDefaults()
		require.Equal(t, full, full.WithDefaults(), "what is complete stays as it is")
		_ = full.Budget()
	})
}
