package lambdahost

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// invocation is an event on its way through one environment.
type invocation struct {
	id       string
	payload  []byte
	arn      string
	trace    string
	deadline time.Time
	finished chan struct{} // closed when the process, having answered, asks for the next one

	mu     sync.Mutex
	answer *outcome
}

// respond keeps the first answer.
func (i *invocation) respond(o outcome) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.answer != nil {
		return false
	}
	i.answer = &o
	return true
}

func (i *invocation) answered() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.answer != nil
}

// outcome is the process's answer, or else what became of it.
func (i *invocation) outcome(otherwise outcome) outcome {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.answer != nil {
		return *i.answer
	}
	return otherwise
}

// runtimeAPI is what AWS_LAMBDA_RUNTIME_API leads to: the Runtime API and as
// much of the Extensions API as an internal extension uses.
func (e *environment) runtimeAPI() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", e.next)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", e.response)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", e.error)
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", e.failInit)
	mux.HandleFunc("POST /2020-01-01/extension/register", e.register)
	mux.HandleFunc("GET /2020-01-01/extension/event/next", e.silence)
	return mux
}

// next answers when there is an invocation; until then the process is idle.
func (e *environment) next(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	if e.polling || e.current != nil && !e.current.answered() {
		e.mu.Unlock()
		refuse(w, http.StatusForbidden, "InvalidStateTransition", "the runtime has an invocation to answer, or asks twice at the same time")
		return
	}
	e.polling = true
	done, first := e.current, !e.asked
	e.current, e.asked = nil, true
	e.mu.Unlock()
	if first {
		close(e.ready)
	}
	if done != nil {
		close(done.finished)
	}

	var inv *invocation
	select {
	case inv = <-e.work:
	case <-r.Context().Done(): // it has hung up, and may ask again
	case <-e.dying:
	}
	e.mu.Lock()
	e.polling, e.current = false, inv
	if inv != nil {
		e.latest = inv.id
	}
	e.mu.Unlock()
	if inv == nil {
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Lambda-Runtime-Aws-Request-Id", inv.id)
	h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(inv.deadline.UnixMilli(), 10))
	h.Set("Lambda-Runtime-Invoked-Function-Arn", inv.arn)
	h.Set("Lambda-Runtime-Trace-Id", inv.trace)
	_, _ = w.Write(inv.payload) // a process that does not read it runs into its deadline
}

// find returns the invocation that a request is about, or refuses it.
func (e *environment) find(w http.ResponseWriter, r *http.Request) *invocation {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.current == nil || e.current.id != r.PathValue("id") {
		refuse(w, http.StatusBadRequest, "InvalidRequestID", "Invalid request ID")
		return nil
	}
	return e.current
}

func (e *environment) response(w http.ResponseWriter, r *http.Request) {
	inv := e.find(w, r)
	if inv == nil {
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxSyncPayload))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		o := failure("Function.ResponseSizeTooLarge", inv.id, "Response payload size exceeded maximum allowed payload size (6291456 bytes).")
		if inv.respond(o) {
			refuse(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "Exceeded maximum allowed payload size (6291456 bytes).")
			return
		}
	} else if err != nil {
		return // the process has died while it answered
	}
	o := outcome{payload: body}
	// A stream that fails half way says so in its trailer.
	if kind := r.Trailer.Get("Lambda-Runtime-Function-Error-Type"); kind != "" {
		o.failed = true
		if o.payload, err = base64.StdEncoding.DecodeString(r.Trailer.Get("Lambda-Runtime-Function-Error-Body")); err != nil {
			o = failure(kind, inv.id, "the error's trailer is not base64")
		}
	}
	accept(w, inv.respond(o))
}

func (e *environment) error(w http.ResponseWriter, r *http.Request) {
	inv := e.find(w, r)
	if inv == nil {
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxSyncPayload))
	if err != nil {
		refuse(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", err.Error())
		return
	}
	accept(w, inv.respond(outcome{payload: body, failed: true}))
}

func (e *environment) failInit(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxSyncPayload))
	if err != nil {
		refuse(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", err.Error())
		return
	}
	if len(body) == 0 {
		body, _ = json.Marshal(map[string]string{"errorType": r.Header.Get("Lambda-Runtime-Function-Error-Type"), "errorMessage": "the runtime has failed to initialise"})
	}
	e.mu.Lock()
	first := !e.asked && e.initError == nil
	if first {
		e.initError = body
	}
	e.mu.Unlock()
	accept(w, first)
	if first {
		// The process must have its 202 before it is stopped.
		_ = http.NewResponseController(w).Flush()
		close(e.refused)
	}
}

// register makes the process one that is told of its end. Whatever the
// extension wants to hear of, there is nothing else to tell.
func (e *environment) register(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Lambda-Extension-Name") == "" {
		refuse(w, http.StatusForbidden, "Extension.InvalidExtensionName", "there is no Lambda-Extension-Name")
		return
	}
	e.mu.Lock()
	late := e.asked
	e.extension = e.extension || !late
	e.mu.Unlock()
	if late {
		refuse(w, http.StatusForbidden, "Extension.RegistrationClosed", "init is over")
		return
	}
	w.Header().Set("Lambda-Extension-Identifier", newID())
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]string{"functionName": e.fn.Name, "functionVersion": "$LATEST", "handler": "bootstrap"})
}

// silence is the answer to an internal extension's question: none ever comes.
func (e *environment) silence(_ http.ResponseWriter, r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-e.dying:
	}
}

func accept(w http.ResponseWriter, ok bool) {
	if !ok {
		refuse(w, http.StatusForbidden, "InvalidStateTransition", "this has been answered before")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"status":"OK"}`)
}

func refuse(w http.ResponseWriter, status int, errorType, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"errorType": errorType, "errorMessage": message})
}
