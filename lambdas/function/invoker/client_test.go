package invoker_test

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/invoker"
)

// The reason of a refusal is in its body (Lambda API reference, Invoke, errors).
func TestTheClientTriesOnceAndTellsWhyItIsRefused(t *testing.T) {
	var calls atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		w.Header().Set("X-Amzn-ErrorType", "TooManyRequestsException")
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = w.Write([]byte(`{"Reason":"ReservedFunctionConcurrentInvocationLimitExceeded","Type":"User","message":"Rate Exceeded."}`))
	}))
	defer server.Close()
	c := invoker.NewClient(aws.Config{Credentials: aws.AnonymousCredentials{}}, "us-west-2", server.URL, server.Client())
	_, err := c.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String(name)})
	var refused *types.TooManyRequestsException
	require.ErrorAs(t, err, &refused)
	require.Equal(t, types.ThrottleReasonReservedFunctionConcurrentInvocationLimitExceeded, refused.Reason)
	require.EqualValues(t, 1, calls.Load())
}
