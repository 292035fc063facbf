package lambdahost_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/lambdahost"
)

// FuzzFailure reads any answer of a function that has failed. It says so whatever the
// answer is, and only errorType and errorMessage are taken for its words.
func FuzzFailure(f *testing.F) {
	for _, payload := range []string{
		`{"errorMessage":"no lease","errorType":"errorString"}`, `{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: 1 Error: Task timed out after 3.00 seconds"}`,
		``, `null`, `{}`, `[]`, `"no lease"`, `no lease`, `{"errorMessage":7,"errorType":"x"}`, `{"errorMessage":null}`, `{"errorMessage":"","errorType":""}`,
		`{"ErrorMessage":"b"}`, `{"errorMessage":"a","errormessage":"b"}`, `{"errorMessage":"a"}{}`, "{\"errorMessage\":\"\xff\"}",
	} {
		f.Add([]byte(payload), "errorString", "no lease")
	}
	f.Fuzz(func(t *testing.T, payload []byte, kind, text string) {
		none, said := lambdahost.Result{Payload: payload}.Failure()
		require.Empty(t, none+said, "it has not failed")

		errorType, message := lambdahost.Result{Payload: payload, FunctionError: "Unhandled"}.Failure()
		require.NotEmpty(t, errorType+message, "it has failed")
		var fields map[string]any // the oracle
		_ = json.Unmarshal(payload, &fields)
		wantType, _ := fields["errorType"].(string)
		wantMessage, _ := fields["errorMessage"].(string)
		if wantType == "" && wantMessage == "" {
			wantType, wantMessage = "Unhandled", string(payload)
		}
		require.Equal(t, []string{wantType, wantMessage}, []string{errorType, message})

		// What a runtime writes reads back.
		kind, text = strings.ToValidUTF8(kind, "?"), strings.ToValidUTF8(text, "?")
		if kind == "" {
			return
		}
		written, err := json.Marshal(map[string]any{"errorType": kind, "errorMessage": text, "stackTrace": []string{}})
		require.NoError(t, err)
		errorType, message = lambdahost.Result{Payload: written, FunctionError: "Unhandled"}.Failure()
		require.Equal(t, []string{kind, text}, []string{errorType, message})
	})
}

// reference is how Lambda names a function of this account and Region (Lambda API
// reference, Invoke, FunctionName), in the forms that the Host takes.
var reference = regexp.MustCompile(`^(arn:aws[^:]*:lambda:us-west-2:123456789012:function:|123456789012:function:)?f(:\$LATEST)?$`)

// FuzzReference asks for any function by any qualifier: it is f, named as Lambda names
// it, or not found.
func FuzzReference(f *testing.F) {
	for _, ref := range []string{
		"f", "f:$LATEST", "123456789012:function:f", "arn:aws:lambda:us-west-2:123456789012:function:f", "arn:aws:lambda:us-west-2:123456789012:function:f:$LATEST",
		"", "g", "f:", "f::", "f:live", ":function:f", "210987654321:function:f", "arn:aws:lambda:us-east-1:123456789012:function:f", "arn:aws:lambda:::function:f",
		"arn:aws:lambda:us-west-2:123456789012:function:f:1", "arn:aws:s3:us-west-2:123456789012:function:f", "arn::lambda:us-west-2:123456789012:function:f", "function:f", "arn", "f/g",
	} {
		f.Add(ref, "")
		f.Add(ref, "$LATEST")
	}
	f.Add("f", "1")
	h, err := lambdahost.New(lambdahost.Config{Functions: []lambdahost.Function{{Name: "f", Binary: raw, Region: "us-west-2"}}})
	require.NoError(f, err)
	f.Cleanup(h.Close)
	f.Fuzz(func(t *testing.T, ref, qualifier string) {
		r := httptest.NewRequest(http.MethodPost, "/2015-03-31/functions/"+url.PathEscape(ref)+invocations+"?"+url.Values{"Qualifier": {qualifier}}.Encode(), nil)
		r.Header.Set("X-Amz-Invocation-Type", "DryRun")
		w := httptest.NewRecorder()
		h.Handler().ServeHTTP(w, r)
		if m := reference.FindStringSubmatch(ref); m != nil && (qualifier == "" || qualifier == "$LATEST" && m[2] == "") {
			require.Equal(t, http.StatusNoContent, w.Code, "%s", w.Body)
			return
		}
		if ref == "" || ref == "." || ref == ".." || strings.Contains(ref, "/") {
			require.NotEqual(t, http.StatusNoContent, w.Code, "the server's mux cleans such a path before the Host sees it")
			return
		}
		require.Equal(t, http.StatusNotFound, w.Code)
		require.Equal(t, "ResourceNotFoundException", w.Header().Get("X-Amzn-ErrorType"))
		require.True(t, json.Valid(w.Body.Bytes()))
	})
}
