package lambdahost

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Mode is how a function is invoked.
type Mode uint8

// The modes, AWS's RequestResponse and Event.
const (
	Sync Mode = iota
	Async
)

func (m Mode) String() string {
	if m == Async {
		return "Event"
	}
	return "RequestResponse"
}

// Result is what the Invoke API answers.
type Result struct {
	// StatusCode is 200, or 202 for an event that was accepted.
	StatusCode int
	RequestID  string
	// Payload is the function's answer, or the error's JSON: errorType and
	// errorMessage.
	Payload []byte
	// FunctionError is empty, or "Unhandled": the function, not the call, failed.
	FunctionError string
	// Cold says that a process was started for it.
	Cold bool
	// Took is the invocation's duration from handing it over, without init.
	Took time.Duration
}

// Failure returns errorType and errorMessage of a failed function, and nothing of
// one that has not failed. A process may answer anything for an error: what has
// neither is FunctionError with the payload as its message, and no success.
func (r Result) Failure() (errorType, message string) {
	if r.FunctionError == "" {
		return "", ""
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(r.Payload, &fields) == nil {
		for key, into := range map[string]*string{"errorType": &errorType, "errorMessage": &message} {
			_ = json.Unmarshal(fields[key], into) // what is no text stays empty
		}
	}
	if errorType == "" && message == "" {
		return r.FunctionError, string(r.Payload)
	}
	return errorType, message
}

// ErrClosed is returned by a Host that is closed or closing.
var ErrClosed = errors.New("lambdahost: the host is closed")

// Refusal is a call that never reached the function, as the Invoke API reports
// it.
type Refusal struct {
	Status  int    // HTTP status
	Code    string // the exception's name
	Message string
	Reason  string // of a throttle
}

func (r *Refusal) Error() string {
	return fmt.Sprintf("lambdahost: invoke: %d %s: %s", r.Status, r.Code, r.Message)
}

// retriable says that the queue keeps an event that was refused so: throttles
// and service errors.
func (r *Refusal) retriable() bool { return r.Status == http.StatusTooManyRequests || r.Status >= 500 }

func throttled() *Refusal {
	return &Refusal{http.StatusTooManyRequests, "TooManyRequestsException", "Rate Exceeded.", "ReservedFunctionConcurrentInvocationLimitExceeded"}
}

func outage() *Refusal {
	return &Refusal{http.StatusInternalServerError, "ServiceException", "The Lambda service encountered an internal error.", ""}
}

func notFound(what string) *Refusal {
	return &Refusal{http.StatusNotFound, "ResourceNotFoundException", "Function not found: " + what, ""}
}

// checkPayload returns the event that a function gets for a payload.
func checkPayload(payload []byte, mode Mode) ([]byte, error) {
	limit := maxSyncPayload
	if mode == Async {
		limit = maxAsyncPayload
	}
	switch {
	case len(payload) > limit:
		return nil, &Refusal{http.StatusRequestEntityTooLarge, "RequestTooLargeException", fmt.Sprintf("Request must be smaller than %d bytes for the InvokeFunction operation", limit), ""}
	case len(payload) == 0:
		return []byte("{}"), nil
	case !json.Valid(payload):
		return nil, &Refusal{http.StatusBadRequest, "InvalidRequestContentException", "Could not parse request body into json", ""}
	}
	return payload, nil
}

// outcome is how an invocation ended.
type outcome struct {
	payload []byte
	failed  bool
}

// failure is an outcome in Lambda's own words.
func failure(errorType, requestID, message string) outcome {
	body, err := json.Marshal(map[string]string{"errorType": errorType, "errorMessage": fmt.Sprintf("RequestId: %s Error: %s", requestID, message)})
	if err != nil {
		panic(err) // strings always marshal
	}
	return outcome{payload: body, failed: true}
}

func timedOut(requestID string, limit time.Duration) outcome {
	return failure("Sandbox.Timedout", requestID, fmt.Sprintf("Task timed out after %.2f seconds", limit.Seconds()))
}

func exited(requestID string, how error) outcome {
	if how == nil {
		return failure("Runtime.ExitError", requestID, "Runtime exited without providing a reason")
	}
	return failure("Runtime.ExitError", requestID, "Runtime exited with error: "+how.Error())
}
