package event_test

import (
	"encoding/json"
	"fmt"
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

// every mode, as it is meant to be written.
const (
	acknowledgement = `{"mode":"acknowledge","target_region":"us-west-2","execution":"0000000007-0001","question":"1","by":"jane","reason":"east is gone"}`
	abort           = `{"mode":"abort","target_region":"us-west-2","execution":"0000000007-0001","by":"jane","reason":"it heals"}`
	giveBack        = `{"mode":"return","target_region":"us-west-2","execution":"0000000007-0001","by":"jane","reason":"the target is broken"}`
	pause           = `{"mode":"pause","for":"2h30m","by":"jane","reason":"an engine upgrade"}`
	resume          = `{"mode":"resume","by":"jane","reason":"the upgrade is done"}`
)

func TestParse(t *testing.T) {
	for name, c := range map[string]struct {
		payload string
		want    event.Request
	}{
		"a monitor's": {
			`{"mode":"failover","target_region":"us-west-2","reason":"sql dead from us-west-2"}`,
			event.Request{Mode: event.Failover, Target: "us-west-2", Reason: "sql dead from us-west-2"},
		},
		"without a reason": {` {"target_region":"us-gov-west-1","mode":"failover"} `, event.Request{Mode: event.Failover, Target: "us-gov-west-1"}},
		"a person's failover": {
			`{"mode":"failover","target_region":"us-west-2","by":"jane","reason":"look now"}`,
			event.Request{Mode: event.Failover, Target: "us-west-2", By: "jane", Reason: "look now"},
		},
		"a switchover": {
			`{"mode":"switchover","target_region":"us-west-2","by":"Jürgen Müller <j@example.com>","reason":"maintenance – 2 h"}`,
			event.Request{Mode: event.Switchover, Target: "us-west-2", By: "Jürgen Müller <j@example.com>", Reason: "maintenance – 2 h"},
		},
		"an acknowledgement": {
			acknowledgement,
			event.Request{Mode: event.Acknowledge, Target: "us-west-2", Execution: "0000000007-0001", Question: "1", By: "jane", Reason: "east is gone"},
		},
		"an abort":             {abort, event.Request{Mode: event.Abort, Target: "us-west-2", Execution: "0000000007-0001", By: "jane", Reason: "it heals"}},
		"a return":             {giveBack, event.Request{Mode: event.Return, Target: "us-west-2", Execution: "0000000007-0001", By: "jane", Reason: "the target is broken"}},
		"a pause":              {pause, event.Request{Mode: event.Pause, For: event.Span(150 * time.Minute), By: "jane", Reason: "an engine upgrade"}},
		"the longest pause":    {strings.Replace(pause, "2h30m", "24h", 1), event.Request{Mode: event.Pause, For: event.Span(event.MaxPause), By: "jane", Reason: "an engine upgrade"}},
		"a resume":             {resume, event.Request{Mode: event.Resume, By: "jane", Reason: "the upgrade is done"}},
		"a status":             {`{"mode":"status"}`, event.Request{Mode: event.Status}},
		"a status of a person": {`{"mode":"status","by":"jane"}`, event.Request{Mode: event.Status, By: "jane"}},
		"an alarm":             {alarm, event.Request{Mode: event.Failover, Target: "us-west-2", Reason: `alarm "lifeboat-prod-impaired"`}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := event.Parse([]byte(c.payload))
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
}

func TestParseRefuses(t *testing.T) {
	const ok = `"mode":"failover","target_region":"us-west-2"`
	without := func(payload, key string) string {
		var fields map[string]any
		require.NoError(t, json.Unmarshal([]byte(payload), &fields))
		require.Contains(t, fields, key)
		delete(fields, key)
		out, err := json.Marshal(fields)
		require.NoError(t, err)
		return string(out)
	}
	const switchover = `{"mode":"switchover","target_region":"us-west-2","by":"jane","reason":"r"}`
	person := func(by string) string { return `{"mode":"resume","reason":"r","by":` + by + `}` }
	for name, c := range map[string]struct{ payload, want string }{
		"nothing":                   {``, "send a JSON object"},
		"null":                      {`null`, "send a JSON object"},
		"an array":                  {`[{` + ok + `}]`, "send a JSON object"},
		"an empty object":           {`{}`, "mode"},
		"half":                      {`{` + ok, "EOF"},
		"more":                      {`{` + ok + `}{}`, "something follows"},
		"an unknown key":            {`{` + ok + `,"force":true}`, `key 3 (5 characters) is unknown`},
		"a key in another case":     {`{` + ok + `,"Mode":"switchover"}`, `key 3 (4 characters) is unknown`},
		"a key twice":               {`{` + ok + `,"mode":"switchover"}`, `key 3 (4 characters) comes twice`},
		"a key twice, by an escape": {`{` + ok + `,"mod\u0065":"switchover"}`, `key 3 (4 characters) comes twice`},
		"a key with a letter that looks the same":  {`{` + ok + `,"r\u0435ason":"r"}`, `is unknown`},
		"a key with a character that is unseen":    {`{` + ok + `,"reason\u200b":"r"}`, `is unknown`},
		"null for a value":                         {`{"mode":"failover","target_region":null}`, "leave it out"},
		"nothing for a value":                      {`{"mode":"failover","target_region":"us-west-2","by":""}`, "leave it out"},
		"a number for a mode":                      {`{"mode":1,"target_region":"us-west-2"}`, "mode: number doesn't fit"},
		"an object for a mode":                     {`{"mode":{"mode":"failover"},"target_region":"us-west-2"}`, "mode: object doesn't fit"},
		"a list for a person":                      {person(`["jane"]`), "by: array doesn't fit"},
		"an unknown mode":                          {`{"mode":"failback","target_region":"us-west-2"}`, `mode (8 characters) is unknown`},
		"a mode in another case":                   {`{"mode":"Failover","target_region":"us-west-2"}`, `mode (8 characters) is unknown`},
		"a mode with a letter that looks the same": {`{"mode":"f\u0430ilover","target_region":"us-west-2"}`, "mode"},
		"no Region":                                {`{"mode":"failover","target_region":"west"}`, `target_region (4 characters) is no Region`},
		"a Region and more":                        {`{"mode":"failover","target_region":"us-west-2\n"}`, `target_region (10 characters) is no Region`},
		"too long a reason":                        {`{` + ok + `,"reason":"` + strings.Repeat("x", 1025) + `"}`, "at most 1024 bytes"},
		"a reason with an escape":                  {`{` + ok + `,"reason":"\u001b[2J"}`, "plain text"},
		"a reason of two lines":                    {`{` + ok + `,"reason":"a\nacknowledged by bob"}`, "on one line"},
		"a reason of blanks":                       {`{` + ok + `,"reason":"  "}`, "plain text"},
		"a reason that turns the line":             {`{` + ok + `,"reason":"\u202egnp"}`, "plain text"},
		"a reason that separates lines":            {`{` + ok + `,"reason":"a\u2028b"}`, "plain text"},
		"too long a name":                          {person(`"` + strings.Repeat("x", 257) + `"`), "1 to 256 bytes"},
		"a name with an escape":                    {person(`"jane\u0000"`), "plain text"},
		"a name that is unseen":                    {person(`"\u200b"`), "plain text"},
		"a name of two lines":                      {person(`"jane\r\nroot"`), "plain text"},
		"a person's failover without a reason":     {`{` + ok + `,"by":"jane"}`, "reason"},
		"a switchover by no person":                {without(switchover, "by"), "by: mode \"switchover\" needs it"},
		"a switchover without a reason":            {without(switchover, "reason"), "reason: mode \"switchover\" needs it"},
		"a switchover without a Region":            {without(switchover, "target_region"), "target_region: mode \"switchover\" needs it"},
		"consent by no person":                     {without(acknowledgement, "by"), "by: mode \"acknowledge\" needs it"},
		"consent without a reason":                 {without(acknowledgement, "reason"), "reason: mode \"acknowledge\" needs it"},
		"consent to no execution":                  {without(acknowledgement, "execution"), "execution: mode \"acknowledge\" needs it"},
		"consent to no question":                   {without(acknowledgement, "question"), "question: mode \"acknowledge\" needs it"},
		"consent in no Region":                     {without(acknowledgement, "target_region"), "target_region: mode \"acknowledge\" needs it"},
		"consent by epoch":                         {`{"mode":"acknowledge","target_region":"us-west-2","acknowledge_data_loss":{"epoch":7,"by":"jane"},"reason":"r"}`, `key 3 (21 characters) is unknown`},
		"consent ahead of time":                    {`{` + ok + `,"execution":"0000000007-0001","question":"1"}`, "question: mode \"failover\" doesn't take it"},
		"a question as a number":                   {strings.Replace(acknowledgement, `"1"`, `1`, 1), "question: number doesn't fit"},
		"a question with a blank":                  {strings.Replace(acknowledgement, `"1"`, `"1 2"`, 1), "question"},
		"an execution that is a path":              {strings.Replace(abort, `0000000007-0001`, `../7`, 1), "execution"},
		"too long an execution":                    {strings.Replace(abort, `0000000007-0001`, strings.Repeat("7", 65), 1), "execution"},
		"an abort of everything":                   {without(abort, "execution"), "execution: mode \"abort\" needs it"},
		"an abort in no Region":                    {without(abort, "target_region"), "target_region: mode"},
		"a return in no Region":                    {without(giveBack, "target_region"), "target_region: mode"},
		"an abort by no person":                    {without(abort, "by"), "by: mode"},
		"an abort without a reason":                {without(abort, "reason"), "reason: mode"},
		"a return from everything":                 {without(giveBack, "execution"), "execution: mode \"return\" needs it"},
		"a return by no person":                    {without(giveBack, "by"), "by: mode"},
		"a pause for ever":                         {without(pause, "for"), "for: mode \"pause\" needs it"},
		"a pause by no person":                     {without(pause, "by"), "by: mode"},
		"a pause without a reason":                 {without(pause, "reason"), "reason: mode"},
		"a pause too long":                         {strings.Replace(pause, "2h30m", "24h0m1s", 1), "a pause lasts"},
		"a pause too short":                        {strings.Replace(pause, "2h30m", "59s", 1), "a pause lasts"},
		"a pause of the past":                      {strings.Replace(pause, "2h30m", "-2h", 1), "a pause lasts"},
		"a pause of no time":                       {strings.Replace(pause, "2h30m", "0s", 1), "for: mode \"pause\" needs it"},
		"a pause of an overflow":                   {strings.Replace(pause, "2h30m", "9999999999h", 1), "is no duration"},
		"a pause as a number":                      {strings.Replace(pause, `"2h30m"`, `7200`, 1), "for: number doesn't fit"},
		"a pause of one Region":                    {strings.Replace(pause, `"mode"`, `"target_region":"us-west-2","mode"`, 1), "target_region: mode \"pause\" doesn't take it"},
		"a resume by no person":                    {without(resume, "by"), "by: mode"},
		"a resume without a reason":                {without(resume, "reason"), "reason: mode"},
		"a resume for a time":                      {strings.Replace(resume, `"mode"`, `"for":"2h","mode"`, 1), "for: mode \"resume\" doesn't take it"},
		"a status of a Region":                     {`{"mode":"status","target_region":"us-west-2"}`, "target_region: mode \"status\" doesn't take it"},
		"a status that acts":                       {`{"mode":"status","execution":"1"}`, "execution: mode \"status\" doesn't take it"},
		"an alarm that is over":                    {strings.Replace(alarm, `"value": "ALARM"`, `"value": "OK"`, 1), "not in state ALARM"},
		"an alarm of another kind":                 {strings.Replace(alarm, "arn:aws:cloudwatch", "arn:aws:iotevents", 1), "only a CloudWatch alarm"},
		"an alarm of another source":               {strings.Replace(alarm, "aws.cloudwatch", "example", 1), "only a CloudWatch alarm"},
		"an alarm of no Region":                    {strings.Replace(alarm, ":us-west-2:", "::", 1), "target_region"},
		"too much":                                 {`{` + ok + `,"reason":"` + strings.Repeat("x", event.MaxSize) + `"}`, "65536 are taken"},
		"too deep":                                 {`{` + ok + `,"reason":` + strings.Repeat("[", 30000) + strings.Repeat("]", 30000) + `}`, "depth"},
		"deep":                                     {`{` + ok + `,"reason":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}`, "reason: array doesn't fit"},
		"many keys":                                {`{` + ok + strings.Repeat(`,"x":1`, 2), `key 4 (1 characters) comes twice`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := event.Parse([]byte(c.payload))
			require.ErrorContains(t, err, c.want)
			require.Zero(t, got, "a refused payload asks for nothing")
			require.LessOrEqual(t, len(err.Error()), 1024, "an error stays readable whatever was sent")
		})
	}
}

// A thousand keys that are unknown are a thousand reasons, and still one short answer.
func TestAnErrorStaysShort(t *testing.T) {
	var b strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&b, `"k%d":1,`, i)
	}
	_, err := event.Parse([]byte(`{` + b.String() + `"mode":"status"}`))
	require.ErrorContains(t, err, `key 1 (2 characters) is unknown`)
	require.LessOrEqual(t, len(err.Error()), 1024)
}

func TestParseReportsEverythingAtOnce(t *testing.T) {
	_, err := event.Parse([]byte(`{"mode":"acknowledge","target_region":"y","by":"\u0007","reason":"\u0007"}`))
	for _, want := range []string{"target_region", "reason", "by", "execution", "question"} {
		require.ErrorContains(t, err, want)
	}
}

// What people are told must be what they can send.
func TestPlain(t *testing.T) {
	for in, want := range map[string]string{
		"sql dead\n\x1b[2J": "sql dead  [2J", "\u202egnp\u200b": "gnp", "": "", "\xff": "?", "é": "é",
	} {
		require.Equal(t, want, event.Plain(in))
	}
	require.Len(t, event.Plain(strings.Repeat("é", 2000)), 1024)
}

func TestResponse(t *testing.T) {
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
	require.NotContains(t, got, "refused")

	data, err = json.Marshal(event.Nothing("the writer is here", "e", 0))
	require.NoError(t, err)
	require.JSONEq(t, `{"state":"Steady","detail":"nothing to do: the writer is here","evidence":"e","took":"0s"}`, string(data))

	data, err = json.Marshal(event.Refuse(event.WrongRegion, "why", "do"))
	require.NoError(t, err)
	require.JSONEq(t, `{"refused":"wrong-region","state":"Steady","detail":"why","do":"do","evidence":"","took":"0s"}`, string(data))
}

// FuzzParse holds that a payload is either refused or is a request that is valid and that
// means the same when it is written down again.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		alarm, `{}`, `null`, `{"mode":"failover","target_region":"us-west-2","reason":"r"}`, `{"mode":"status"}`,
		acknowledgement, abort, giveBack, pause, resume, strings.Replace(pause, "2h30m", "1m0.000000001s", 1),
		`{"mode":"switchover","target_region":"us-west-2","by":"jane","reason":"\u202e"}`, `{"mode":"status","mod\u0435":"failover"}`,
		`{"mode":"failover","mode":"switchover"}`, `{"alarmArn":{}}`, "{\"reason\":\"\xff\"}", `{"mode":"pause","for":"9999999999h"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		got, err := event.Parse(payload)
		if err != nil {
			require.Zero(t, got)
			require.LessOrEqual(t, len(err.Error()), 1024)
			return
		}
		require.NoError(t, got.Validate())
		require.True(t, got.Person() || got.Mode == event.Failover || got.Mode == event.Status, "what changes something has a person")
		again, err := json.Marshal(got)
		require.NoError(t, err)
		back, err := event.Parse(again)
		require.NoError(t, err)
		require.Equal(t, got, back)
	})
}

// A secret that was put into a request by mistake must not be in the log.
func TestARefusalQuotesNothing(t *testing.T) {
	const hush = "Zq7Xk9-Lw2Vb4"
	payloads := []string{
		`*`, `"*"`, `["*"]`, `{"*":1}`, `{"mode":"*"}`, `{"mode":"status","*":"*"}`, `{"*":1,"*":2}`, `{"mode":{"*":1}}`, `{"mode":"*","mode":"*"}`,
		`{"mode":"failover","target_region":"*"}`, `{"mode":"failover","target_region":"us-west-2","by":"*\u0007","reason":"*\u0007"}`,
		`{"mode":"abort","target_region":"us-west-2","execution":"*!","by":"jane","reason":"r"}`, `{"mode":"acknowledge","target_region":"us-west-2","execution":"1","question":"*!","by":"jane","reason":"r"}`,
		`{"mode":"pause","for":"*","by":"jane","reason":"r"}`, `{"mode":"status","by":*}`,
		`{"source":"*","alarmArn":"*"}`, `{"source":"aws.cloudwatch","alarmArn":"*"}`, `{"source":"*","alarmArn":"arn:aws:cloudwatch:*:1:alarm:x"}`,
		`{"source":"aws.cloudwatch","alarmArn":"arn:aws:cloudwatch:*:123456789012:alarm:x","alarmData":{"alarmName":"x","state":{"value":"ALARM"}}}`,
		`{"source":"aws.cloudwatch","alarmArn":"arn:aws:cloudwatch:us-west-2:123456789012:alarm:x","alarmData":{"alarmName":"*","state":{"value":"*"}}}`, `{"source":["*"],"alarmArn":"*","alarmData":"*"}`,
	}
	for _, p := range payloads {
		_, err := event.Parse([]byte(strings.ReplaceAll(p, "*", hush)))
		require.Error(t, err, p)
		require.NotContains(t, err.Error(), hush[:8], p)
	}
	_, err := event.Parse([]byte(`{"mode":48151623}`))
	require.Error(t, err)
	require.NotContains(t, err.Error(), "4815", "a number is not quoted, either")
}
