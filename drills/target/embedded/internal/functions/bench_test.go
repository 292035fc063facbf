package functions_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/lambdahost"
	"github.com/lifeboat-dr/lifeboat/drills/target/embedded/internal/functions"
)

type client func(*http.Request) (*http.Response, error)

func (c client) Do(r *http.Request) (*http.Response, error) { return c(r) }

// BenchmarkGate measures what a call to the world costs on its way through the gate, with
// a deadline as those of the adapters have.
func BenchmarkGate(b *testing.B) {
	answer := &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}
	s := functions.New(b.Context(), func() time.Duration { return 0 }, functions.Function{
		Name: "f", Concurrency: 1,
		Start: func(p *functions.Process) (functions.Handler, error) {
			world := p.HTTP(client(func(r *http.Request) (*http.Response, error) {
				select { // as one that waits for an answer
				case <-r.Context().Done():
					return nil, r.Context().Err()
				default:
					return answer, nil
				}
			}))
			return handler(func(ctx context.Context, _ []byte) ([]byte, error) {
				call, cancel := context.WithTimeout(ctx, time.Hour)
				defer cancel()
				r, err := http.NewRequestWithContext(call, http.MethodPost, "http://x/", nil)
				if err != nil {
					return nil, err
				}
				b.ReportAllocs()
				for b.Loop() {
					if _, err := world.Do(r); err != nil {
						return nil, err
					}
				}
				return nil, nil
			}), nil
		},
	})
	defer s.Close()
	result, err := s.Invoke(b.Context(), "f", nil, lambdahost.Sync)
	require.NoError(b, err)
	require.Empty(b, result.FunctionError, "%s", result.Payload)
}
