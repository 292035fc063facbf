package lambdahost_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/lambdahost"
)

// What the host itself adds to an invocation: a warm one thaws and freezes a
// process.
func BenchmarkWarm(b *testing.B) {
	h := bench(b)
	for b.Loop() {
		invoke(b, h)
	}
}

// The floor of a cold start: the smallest runtime, from nothing to its answer.
func BenchmarkCold(b *testing.B) {
	h := bench(b)
	for b.Loop() {
		_, err := h.Kill("f")
		require.NoError(b, err)
		invoke(b, h)
	}
}

func bench(b *testing.B) *lambdahost.Host {
	b.Helper()
	h, err := lambdahost.New(lambdahost.Config{Functions: []lambdahost.Function{{Name: "f", Binary: raw, Region: "us-west-2", Timeout: time.Minute}}})
	require.NoError(b, err)
	b.Cleanup(h.Close)
	invoke(b, h)
	return h
}

func invoke(b *testing.B, h *lambdahost.Host) {
	b.Helper()
	r, err := h.Invoke(b.Context(), "f", nil, lambdahost.Sync)
	require.NoError(b, err)
	require.Empty(b, r.FunctionError)
}
