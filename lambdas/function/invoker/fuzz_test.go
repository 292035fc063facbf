package invoker_test

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/invoker"
)

// FuzzSaid lets the trigger fail with any answer. Whatever it is, the failure is told as
// one line that says where to look, with the message that stands under "errorMessage" and
// no other text of the answer.
func FuzzSaid(f *testing.F) {
	for _, payload := range []string{
		`{"errorMessage":"the table\nis gone","errorType":"errorString"}`, `{"errorMessage":"2026-11-23 Task timed out after 900.00 seconds"}`,
		`no JSON`, `null`, `[]`, `""`, `{}`, `{"errorMessage":null}`, `{"errorMessage":7}`, `{"errorMessage":""}`, `{"errorMessage":" \u0000\n"}`,
		`{"errorMessage":"a","ErrorMessage":"b"}`, `{"errormessage":"b"}`, `{"errorMessage":"a"}{}`, "{\"errorMessage\":\"\xff\"}",
		`{"errorMessage":"` + strings.Repeat("é", 2000) + `"}`, `{"errorMessage":"\u001b[2J"}`,
	} {
		f.Add([]byte(payload))
	}
	const before, after = "invoker: invoke " + name + " in us-west-2: it failed (Unhandled): ", ": its log and the journal tell more"
	f.Fuzz(func(t *testing.T, payload []byte) {
		if len(payload) == 0 {
			return // the invoker's sign that the trigger has not failed
		}
		var err error
		synctest.Test(t, func(t *testing.T) {
			d := invoker.New("us-west-2", name, &lambdaAPI{said: string(payload)})
			require.NoError(t, d.Ask(t.Context(), "r"))
			synctest.Wait()
			err = d.HangUp()
		})
		require.Error(t, err, "that the trigger has failed must not be lost")
		told, begins := strings.CutPrefix(err.Error(), before)
		told, ends := strings.CutSuffix(told, after)
		require.True(t, begins && ends, "%q", err)
		require.False(t, strings.ContainsFunc(told, unicode.IsControl), "%q", told)
		require.LessOrEqual(t, len(told), 1024)

		var fields map[string]any // the oracle
		_ = json.Unmarshal(payload, &fields)
		message, _ := fields["errorMessage"].(string)
		short := len(message) <= 1024 && !strings.ContainsFunc(message, unicode.IsControl)
		switch {
		case short && strings.TrimSpace(message) != "":
			require.Equal(t, strings.TrimSpace(message), told)
		case short, !json.Valid(payload):
			require.Equal(t, "without a message", told)
		default:
			require.NotEmpty(t, told)
		}
	})
}

// FuzzRefused lets the trigger answer anything without failing. What says that it refuses is
// told as one line of a bounded length, and what doesn't say so is no error.
func FuzzRefused(f *testing.F) {
	for _, payload := range []string{
		`{"refused":"bad-request","detail":"key \"x\"\nis unknown","do":"send a status"}`, `{"refused":"wrong-region"}`, `{"refused":"paused"}`,
		`{"refused":"observe-only","detail":7}`, `{"refused":null}`, `{"refused":""}`, `{"refused":7}`, `{"refused":["bad-request"]}`, `{"Refused":"x"}`,
		`{"refused":" paused\u0000"}`, `{"refused":"a","refused":"paused"}`, `{"refused":"a"}{}`, "{\"refused\":\"\xff\"}", `{"refused":"\u202e"}`,
		`{"refused":"` + strings.Repeat("é", 2000) + `","do":"` + strings.Repeat("x", 5000) + `"}`, `no JSON`, `null`, `[]`, `{}`, `{"driven":true}`,
	} {
		f.Add([]byte(payload))
	}
	const before = "invoker: invoke " + name + " in us-west-2: it refused ("
	f.Fuzz(func(t *testing.T, payload []byte) {
		if len(payload) == 0 {
			return
		}
		var err error
		synctest.Test(t, func(t *testing.T) {
			d := invoker.New("us-west-2", name, &lambdaAPI{gives: string(payload)})
			require.NoError(t, d.Ask(t.Context(), "r"))
			synctest.Wait()
			err = d.HangUp()
		})
		var fields map[string]any // the oracle
		_ = json.Unmarshal(payload, &fields)
		code := fields["refused"]
		if code == nil || code == "" || code == "paused" || code == "observe-only" {
			require.NoError(t, err)
			return
		}
		if text, is := code.(string); is && (strings.Contains(text, "paused") || strings.Contains(text, "observe-only")) {
			return // with blanks around it, perhaps
		}
		require.Error(t, err, "that the trigger refuses must not be lost")
		told, begins := strings.CutPrefix(err.Error(), before)
		require.True(t, begins, "%q", err)
		require.False(t, strings.ContainsFunc(told, unicode.IsControl), "%q", told)
		require.LessOrEqual(t, len(told), 64+2*1024+16)
	})
}
