package lambdahost_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/lambdahost"
)

const invocations = "/invocations"

// api serves a Host's Invoke API and returns the address of its functions. The
// server is closed before the Host is.
func api(t *testing.T, h *lambdahost.Host) string {
	t.Helper()
	server := httptest.NewServer(h.Handler())
	t.Cleanup(server.Close)
	return server.URL + "/2015-03-31/functions/"
}

func TestEndpoint(t *testing.T) {
	w := one(t, lambdahost.Function{Concurrency: 1})
	functions := api(t, w.Host)

	for _, name := range []string{
		"f", "f:$LATEST", "123456789012:function:f", "arn:aws:lambda:us-west-2:123456789012:function:f", "arn:aws:lambda:us-west-2:123456789012:function:f:$LATEST",
	} {
		resp, body := post(t, functions+url.PathEscape(name)+invocations, "RequestResponse", do("echo", "hello"))
		require.Equal(t, 200, resp.StatusCode, "%s: %s", name, body)
		require.Contains(t, body, `"Text":"hello"`)
		require.Equal(t, "$LATEST", resp.Header.Get("X-Amz-Executed-Version"))
		require.Empty(t, resp.Header.Get("X-Amz-Function-Error"))
		require.Contains(t, body, resp.Header.Get("X-Amzn-RequestId"))
	}
	for _, name := range []string{
		"g", "f:live", "210987654321:function:f", "arn:aws:lambda:us-east-1:123456789012:function:f", "arn:aws:lambda:us-west-2:123456789012:function:f:1", "f?Qualifier=2",
	} {
		target := functions + url.PathEscape(name) + invocations
		if name == "f?Qualifier=2" {
			target = functions + "f" + invocations + "?Qualifier=2"
		}
		resp, body := post(t, target, "", nil)
		require.Equal(t, 404, resp.StatusCode, name)
		require.Equal(t, "ResourceNotFoundException", resp.Header.Get("X-Amzn-ErrorType"))
		require.Contains(t, body, `"Message":"Function not found: `)
	}

	resp, body := post(t, functions+"f"+invocations, "", do("error", "no lease"))
	require.Equal(t, 200, resp.StatusCode, "a function's failure is not the call's")
	require.Equal(t, "Unhandled", resp.Header.Get("X-Amz-Function-Error"))
	require.JSONEq(t, `{"errorMessage":"no lease","errorType":"errorString"}`, body)

	resp, _ = post(t, functions+"f"+invocations, "DryRun", nil)
	require.Equal(t, 204, resp.StatusCode)
	before := w.count(lambdahost.Finished)
	resp, body = post(t, functions+"f"+invocations, "Event", do("echo", ""))
	require.Equal(t, 202, resp.StatusCode)
	require.Empty(t, body)
	require.Equal(t, resp.Header.Get("X-Amzn-RequestId"), w.await(lambdahost.Finished, before+1).RequestID)

	g := newGate(t)
	busy := w.later(t.Context(), do("gate", g.URL))
	g.await(t)
	resp, body = post(t, functions+"f"+invocations, "", nil)
	require.Equal(t, 429, resp.StatusCode)
	require.Equal(t, "TooManyRequestsException", resp.Header.Get("X-Amzn-ErrorType"))
	require.JSONEq(t, `{"Type":"User","Message":"Rate Exceeded.","message":"Rate Exceeded.","Reason":"ReservedFunctionConcurrentInvocationLimitExceeded"}`, body)
	g.open()
	require.NoError(t, within(t, busy))

	for _, c := range []struct {
		mode    string
		payload []byte
		status  int
		code    string
	}{
		{"Event", []byte("{"), 400, "InvalidRequestContentException"},
		{"Sometimes", nil, 400, "InvalidParameterValueException"},
		{"Event", make([]byte, 1<<20+1), 413, "RequestTooLargeException"},
		{"", make([]byte, 6<<20+1), 413, "RequestTooLargeException"},
	} {
		resp, _ := post(t, functions+"f"+invocations, c.mode, c.payload)
		require.Equal(t, c.status, resp.StatusCode, c.code)
		require.Equal(t, c.code, resp.Header.Get("X-Amzn-ErrorType"))
	}
	resp, _ = post(t, functions+"f/configuration", "", nil)
	require.Equal(t, 404, resp.StatusCode)

	w.Close()
	resp, _ = post(t, functions+"f"+invocations, "", nil)
	require.Equal(t, 503, resp.StatusCode)
}

// A function invokes another one, as the monitor asks the trigger.
func TestFunctionInvokesFunction(t *testing.T) {
	// The address must be known before the Host is, so the server gets its handler later.
	var handler http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	w := start(t, lambdahost.Config{Functions: []lambdahost.Function{
		{Name: "f", Env: map[string]string{"AWS_ENDPOINT_URL_LAMBDA": server.URL}},
		{Name: "trigger", Binary: raw},
	}})
	handler = w.Handler()
	_, a := w.call("call", "trigger")
	require.Equal(t, "{}", a.Text)
	require.Equal(t, "trigger", w.await(lambdahost.Finished, 1).Function)
	require.Equal(t, "f", w.await(lambdahost.Finished, 2).Function)
}
