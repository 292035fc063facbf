package event_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/event"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// alarm is the CloudWatch user guide's example ("Invoke a Lambda function from an
// alarm"), cut to one metric.
const alarm = `{
  "source": "aws.cloudwatch",
  "alarmArn": "arn:aws:cloudwatch:us-west-2:444455556666:alarm:lifeboat-prod-impaired",
  "accountId": "444455556666",
  "time": "2023-08-04T12:36:15.490+0000",
  "region": "us-west-2",
  "alarmData": {
    "alarmName": "lifeboat-prod-impaired",
    "state": {"value": "ALARM", "reason": "test", "timestamp": "2023-08-04T12:36:15.490+0000"},
    "previousState": {"value": "INSUFFICIENT_DATA", "reason": "Insufficient Data", "reasonData": "{\"version\":\"1.0\"}"},
    "configuration": {"metrics": [{"id": "m1", "metricStat": {"metric": {"namespace": "Lifeboat", "name": "ImpairedVerdicts"}, "period": 60, "stat": "Sum"}, "returnData": true}]}
  }
}`

func TestParse(t *testing.T) {
	for name, c := range map[string]struct {
		payload string
		want    event.Request
	}{
		"a monitor's": {
			`{"mode":"failover","target_region":"us-west-2","reason":"sql dead from us-west-2"}`,
			event.Request{Mode: event.Failover, Target: "us-west-2", Reason: "sql dead from us-west-2"},
		},
		"without a reason": {` {"target_region":"us-gov-west-1","mode":"switchover"} `, event.Request{Mode: event.Switchover, Target: "us-gov-west-1"}},
		"an acknowledgement": {
			`{"mode":"acknowledge","target_region":"us-west-2","acknowledge_data_loss":{"epoch":18446744073709551615,"by":"jane"},"reason":"east is gone"}`,
			event.Request{Mode: event.Acknowledge, Target: "us-west-2", Reason: "east is gone", Acknowledgement: &event.Acknowledgement{Epoch: 1<<64 - 1, By: "jane"}},
		},
		"an alarm": {alarm, event.Request{Mode: event.Failover, Target: "us-west-2", Reason: `alarm "lifeboat-prod-impaired"`}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := event.Parse([]byte(c.payload))
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
}

func TestParseRefuses(t *testing.T) {
	ok := `"mode":"failover","target_region":"us-west-2"`
	ack := `"mode":"acknowledge","target_region":"us-west-2","reason":"r","acknowledge_data_loss":`
	for name, c := range map[string]struct{ payload, want string }{
		"nothing":                  {``, "send a JSON object"},
		"null":                     {`null`, "send a JSON object"},
		"an array":                 {`[{` + ok + `}]`, "send a JSON object"},
		"an empty object":          {`{}`, "target_region"},
		"half":                     {`{` + ok, "EOF"},
		"more":                     {`{` + ok + `}{}`, "something follows"},
		"an unknown key":           {`{` + ok + `,"force":true}`, `key "force" is unknown`},
		"a key in another case":    {`{` + ok + `,"Mode":"switchover"}`, `key "Mode" is unknown`},
		"a key twice":              {`{` + ok + `,"mode":"switchover"}`, `key "mode" comes twice`},
		"null for a value":         {`{"mode":"failover","target_region":null}`, "leave it out"},
		"a number for a mode":      {`{"mode":1,"target_region":"us-west-2"}`, "mode: number doesn't fit"},
		"an unknown mode":          {`{"mode":"failback","target_region":"us-west-2"}`, `mode "failback"`},
		"no Region":                {`{"mode":"failover","target_region":"west"}`, `target_region "west"`},
		"too long a reason":        {`{` + ok + `,"reason":"` + strings.Repeat("x", 1025) + `"}`, "at most 1024 bytes"},
		"a reason with an escape":  {`{` + ok + `,"reason":"\u001b[2J"}`, "plain text"},
		"consent ahead of time":    {`{` + ok + `,"acknowledge_data_loss":{"epoch":7,"by":"jane"}}`, "let the execution ask first"},
		"consent without an epoch": {`{` + ack + `{"by":"jane"}}`, "acknowledge_data_loss.epoch"},
		"consent by nobody":        {`{` + ack + `{"epoch":7}}`, "who consents"},
		"a negative epoch":         {`{` + ack + `{"epoch":-7,"by":"jane"}}`, "number -7 doesn't fit"},
		"half an epoch":            {`{` + ack + `{"epoch":7.5,"by":"jane"}}`, "number 7.5 doesn't fit"},
		"an epoch as a text":       {`{` + ack + `{"epoch":"7","by":"jane"}}`, "string doesn't fit"},
		"an epoch twice":           {`{` + ack + `{"epoch":7,"epoch":8,"by":"jane"}}`, `key "epoch" comes twice`},
		"more in a consent":        {`{` + ack + `{"epoch":7,"by":"jane","for":"ever"}}`, `key "acknowledge_data_loss.for" is unknown`},
		"a consent as a list":      {`{` + ack + `[7]}`, "send a JSON object"},
		"consent without a reason": {`{"mode":"acknowledge","target_region":"us-west-2","acknowledge_data_loss":{"epoch":7,"by":"jane"}}`, "needs one"},
		"an alarm that is over":    {strings.Replace(alarm, `"value": "ALARM"`, `"value": "OK"`, 1), `is in state "OK"`},
		"an alarm of another kind": {strings.Replace(alarm, "arn:aws:cloudwatch", "arn:aws:iotevents", 1), "only a CloudWatch alarm"},
		"somebody's alarm":         {strings.Replace(alarm, "aws.cloudwatch", "somebody", 1), "only a CloudWatch alarm"},
		"an alarm of no Region":    {strings.Replace(alarm, ":us-west-2:", "::", 1), "target_region"},
		"too much":                 {`{` + ok + `,"reason":"` + strings.Repeat("x", event.MaxSize) + `"}`, "65536 are taken"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := event.Parse([]byte(c.payload))
			require.ErrorContains(t, err, c.want)
			require.Zero(t, got, "a refused payload wishes nothing")
			require.LessOrEqual(t, len(err.Error()), 1024, "an error stays readable whatever was sent")
		})
	}
}

func TestParseReportsEverythingAtOnce(t *testing.T) {
	_, err := event.Parse([]byte(`{"mode":"x","target_region":"y","reason":"\u0007","acknowledge_data_loss":{}}`))
	for _, want := range []string{"mode", "target_region", "reason", "acknowledge_data_loss"} {
		require.ErrorContains(t, err, want)
	}
}

func TestAnswer(t *testing.T) {
	x := failover.Execution{ID: "0000000007-0001", Mode: failover.ModeFailover, From: "us-east-1", To: "us-west-2", State: failover.AwaitingApproval, Code: failover.CodeLagUnknown, Epoch: 7}
	data, err := json.Marshal(event.Of(x, 61234567*time.Microsecond))
	require.NoError(t, err)
	var got map[string]any
	require.NoError(t, json.Unmarshal(data, &got))
	require.Equal(t, "0000000007-0001", got["execution"])
	require.Equal(t, "AwaitingApproval", got["state"])
	require.Equal(t, "lag-unknown", got["code"])
	require.EqualValues(t, 7, got["epoch"])
	require.Equal(t, "1m1.235s", got["took"])
	require.Contains(t, got["evidence"], "us-east-1 to us-west-2")

	data, err = json.Marshal(event.Nothing("the writer is here", "e", 0))
	require.NoError(t, err)
	require.JSONEq(t, `{"state":"Steady","detail":"nothing to do: the writer is here","evidence":"e","took":"0s"}`, string(data))
}

// FuzzParse holds that a payload is either refused or is a request that is valid and that
// means the same when it is written down again.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		alarm, `{}`, `null`, `{"mode":"failover","target_region":"us-west-2","reason":"r"}`,
		`{"mode":"acknowledge","target_region":"us-west-2","acknowledge_data_loss":{"epoch":7,"by":"jane"},"reason":"r"}`,
		`{"mode":"failover","mode":"switchover"}`, `{"alarmArn":{}}`, "{\"reason\":\"\xff\"}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		got, err := event.Parse(payload)
		if err != nil {
			require.Zero(t, got)
			return
		}
		require.NoError(t, got.Validate())
		again, err := json.Marshal(got)
		require.NoError(t, err)
		back, err := event.Parse(again)
		require.NoError(t, err)
		require.Equal(t, got, back)
	})
}
