package invoker

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/event"
)

// said is the message in a function's error (Lambda developer guide, function errors), as
// one line. The payload is whatever the trigger's process has answered.
func said(payload []byte) string { return line(fieldsOf(payload), "errorMessage", "without a message") }

// refused returns why the trigger has refused to look, and nil when it has not. It refuses
// what its own Region's monitor asks when the two are not of one version, or are wired to
// the wrong function or the wrong topology: then nothing fails over by itself, and without
// an error no person would hear of it. That a person has paused the automation, or that the
// policy lets it observe only, is no fault.
//
// The payload is whatever has answered under the trigger's name.
func refused(payload []byte) error {
	fields := fieldsOf(payload)
	if empty := string(fields["refused"]); empty == "" || empty == "null" || empty == `""` {
		return nil
	}
	code := line(fields, "refused", "without a code")
	if r := event.Refusal(code); r == event.Paused || r == event.ObserveOnly {
		return nil
	}
	const most = 64 // of a code, in bytes
	if len(code) > most {
		code = event.Plain(code[:most]) + "..."
	}
	return fmt.Errorf("it refused (%s): %s: %s", code, line(fields, "detail", "without a reason"),
		line(fields, "do", "hold the versions and the environment of both functions against each other"))
}

// fieldsOf takes a JSON object apart; what is none has no fields.
func fieldsOf(payload []byte) map[string]json.RawMessage {
	var fields map[string]json.RawMessage
	if json.Unmarshal(payload, &fields) != nil {
		return nil
	}
	return fields
}

// line is the text of a field as one line that people can read, cut to a reason's length;
// without when there is none.
func line(fields map[string]json.RawMessage, key, without string) string {
	var text string
	if json.Unmarshal(fields[key], &text) != nil {
		return without
	}
	if text = strings.TrimSpace(event.Plain(text)); text == "" {
		return without
	}
	return text
}

// crowded says whose limit it is when Lambda takes no more invocations (Lambda API reference,
// Invoke, TooManyRequestsException): its own message is "Rate Exceeded." for all of them.
func crowded(err error) error {
	var full *types.TooManyRequestsException
	if !errors.As(err, &full) {
		return err
	}
	do := "ask again"
	switch full.Reason {
	case types.ThrottleReasonReservedFunctionConcurrentInvocationLimitExceeded:
		do = "all places of its reserved concurrency are taken, or it is 0: look who asks it beside its monitor"
	case types.ThrottleReasonConcurrentInvocationLimitExceeded:
		do = "the account's concurrency in this Region is used up by other functions: raise the quota, or give the trigger its reserved concurrency back"
	case types.ThrottleReasonCallerRateLimitExceeded, types.ThrottleReasonFunctionInvocationRateLimitExceeded:
		do = "the account asks Lambda too often in a second: look who else does"
	}
	return fmt.Errorf("%w (%s): %s", err, event.Plain(string(full.Reason)), do)
}
