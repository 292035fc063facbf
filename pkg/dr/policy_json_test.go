package dr_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

func TestPolicySurvivesJSON(t *testing.T) {
	var full dr.Policy
	fillDistinct(t, reflect.ValueOf(&full).Elem(), new(int64))
	for _, p := range []dr.Policy{{}, dr.DefaultPolicy(), full} {
		data, err := json.Marshal(p)
		require.NoError(t, err)
		var back dr.Policy
		require.NoError(t, json.Unmarshal(data, &back))
		require.Equal(t, p, back, "%s", data)
	}
	data, err := json.Marshal(dr.Policy{ProbeTimeout: 1500 * time.Millisecond, Objectives: dr.Objectives{RTO: time.Minute}})
	require.NoError(t, err)
	require.JSONEq(t, `{"objectives":{"rto":"1m0s"},"probe_timeout":"1.5s"}`, string(data), "what is not set is not written")
}

// fillDistinct gives every field its own value, so that one that is forgotten or
// mixed up with another shows.
func fillDistinct(t *testing.T, v reflect.Value, next *int64) {
	for i := range v.NumField() {
		*next++
		switch f := v.Field(i); f.Kind() {
		case reflect.Struct:
			fillDistinct(t, f, next)
		case reflect.Pointer:
			n := int(*next)
			f.Set(reflect.ValueOf(&n))
		case reflect.Int64, reflect.Int:
			f.SetInt(*next)
		case reflect.Bool:
			f.SetBool(true)
		case reflect.String:
			f.SetString("ask-operator")
		default:
			require.FailNow(t, "a kind of field that this test doesn't know", f.Kind().String())
		}
	}
}

func TestPolicyRefusesWhatItCanNotRead(t *testing.T) {
	for _, bad := range []string{
		`{"lease_ttl":"0s"}`, `{"confirm":0}`, `{"clusters":0}`, `{"failover_window":"0"}`, `{"confirm":"3"}`, `{"max_failovers":"none"}`,
		`{"lease_tll":"6s"}`, `{"lease_ttl":6}`, `{"lease_ttl":"six"}`, `[]`, `{"objectives":{"rto":"60"}}`, `{"witnessless":"ask-operator"}`,
	} {
		var p dr.Policy
		require.Error(t, json.Unmarshal([]byte(bad), &p), bad)
	}
}

// No automatic failover and the default are different things, in Go and in JSON.
func TestMaxFailoversZeroMeansNone(t *testing.T) {
	for text, want := range map[string]int{`{}`: 2, `{"max_failovers":null}`: 2, `{"max_failovers":0}`: 0, `{"max_failovers":7}`: 7, `{"preset":"cautious"}`: 1} {
		var p dr.Policy
		require.NoError(t, json.Unmarshal([]byte(text), &p))
		require.NoError(t, p.Validate(), text)
		require.Equal(t, want, p.FailoverLimit(), text)
		again, err := json.Marshal(p)
		require.NoError(t, err)
		var back dr.Policy
		require.NoError(t, json.Unmarshal(again, &back))
		require.Equal(t, want, back.FailoverLimit(), "%s became %s", text, again)
	}
	require.Equal(t, 0, dr.Policy{MaxFailovers: new(0)}.FailoverLimit())
	require.Equal(t, 2, dr.Policy{}.FailoverLimit())
}
