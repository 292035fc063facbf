package lambdahost

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
)

// Handler is the Lambda API of the Host's Region, as far as functions and people
// invoke through it: POST /2015-03-31/functions/{name}/invocations. Signatures
// are not checked. Point AWS_ENDPOINT_URL_LAMBDA at a server of it on loopback.
func (h *Host) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /2015-03-31/functions/{name}/invocations", h.serveInvoke)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		answer(w, &Refusal{http.StatusNotFound, "UnknownOperationException", r.Method + " " + r.URL.Path + " is not emulated", ""})
	})
	return mux
}

func (h *Host) serveInvoke(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Amzn-RequestId", newUUID())
	name, err := h.resolve(r.PathValue("name"), r.URL.Query().Get("Qualifier"))
	if err != nil {
		answer(w, err)
		return
	}
	payload, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxSyncPayload))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		answer(w, &Refusal{http.StatusRequestEntityTooLarge, "RequestTooLargeException", "Request must be smaller than 6291456 bytes for the InvokeFunction operation", ""})
		return
	} else if err != nil {
		return // the caller has hung up
	}
	var mode Mode
	switch kind := r.Header.Get("X-Amz-Invocation-Type"); kind {
	case "", Sync.String():
	case Async.String():
		mode = Async
	case "DryRun":
		w.WriteHeader(http.StatusNoContent)
		return
	default:
		answer(w, &Refusal{http.StatusBadRequest, "InvalidParameterValueException", "X-Amz-Invocation-Type: " + kind + " is none of Event, RequestResponse and DryRun", ""})
		return
	}
	result, err := h.Invoke(r.Context(), name, payload, mode)
	if err != nil {
		answer(w, err)
		return
	}
	head := w.Header()
	head.Set("X-Amzn-RequestId", result.RequestID)
	if mode == Async {
		w.WriteHeader(result.StatusCode)
		return
	}
	head.Set("Content-Type", "application/json")
	head.Set("X-Amz-Executed-Version", "$LATEST")
	if result.FunctionError != "" {
		head.Set("X-Amz-Function-Error", result.FunctionError)
	}
	w.WriteHeader(result.StatusCode)
	_, _ = w.Write(result.Payload) // the caller may have hung up
}

// resolve takes name, name:qualifier, account:function:name and the whole ARN,
// and returns the name. An ARN of another account or Region is another function,
// and one that leaves either out is none.
func (h *Host) resolve(ref, qualifier string) (string, error) {
	parts := strings.Split(ref, ":")
	name, rest, account, region := parts[0], parts[1:], h.cfg.Account, ""
	whole := len(parts) >= 7 && parts[0] == "arn" && strings.HasPrefix(parts[1], "aws") && parts[2] == "lambda" && parts[5] == "function"
	switch {
	case whole:
		region, account, name, rest = parts[3], parts[4], parts[6], parts[7:]
	case len(parts) >= 3 && parts[1] == "function":
		account, name, rest = parts[0], parts[2], parts[3:]
	}
	known := qualifier == "" || qualifier == "$LATEST"
	if len(rest) == 1 && qualifier == "" {
		known, rest = rest[0] == "$LATEST", nil
	}
	p := h.pools[name]
	if p == nil || len(rest) > 0 || !known || account != h.cfg.Account || whole && region != p.fn.Region {
		return "", notFound(ref)
	}
	return name, nil
}

// answer writes an error as the Lambda API does: REST JSON, the code in a
// header.
func answer(w http.ResponseWriter, err error) {
	var refusal *Refusal
	if !errors.As(err, &refusal) {
		refusal = &Refusal{http.StatusServiceUnavailable, "ServiceException", err.Error(), ""}
	}
	who := "User"
	if refusal.Status >= 500 {
		who = "Service"
	}
	body := map[string]string{"Type": who, "Message": refusal.Message, "message": refusal.Message}
	if refusal.Reason != "" {
		body["Reason"] = refusal.Reason
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Amzn-ErrorType", refusal.Code)
	w.WriteHeader(refusal.Status)
	_ = json.NewEncoder(w).Encode(body)
}
