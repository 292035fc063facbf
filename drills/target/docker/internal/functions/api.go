package functions

import (
	"bytes"
	"io"
	"net/http"
	"strings"

	"github.com/lifeboat-dr/lifeboat/drills/lambdahost"
)

// invokeAPI is the host's Invoke API. While a fault says so, it carries every call of
// the trigger out twice, in a second invocation of which the caller hears nothing: as it
// is when an answer got lost and the SDK has asked again. The monitor calls and waits,
// so that a fault of the queue would never meet it.
func (s *service) invokeAPI() http.Handler {
	api := s.host.Handler()
	called := "/functions/" + s.cfg.name(Trigger) + "/invocations"
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		kind := r.Header.Get("X-Amz-Invocation-Type")
		if strings.HasSuffix(r.URL.Path, called) && (kind == "" || kind == lambdahost.Sync.String()) && s.doubles() {
			payload, err := io.ReadAll(r.Body)
			if err != nil {
				return // the caller has hung up
			}
			r.Body = io.NopCloser(bytes.NewReader(payload))
			s.also(func() {
				_, _ = s.host.Invoke(s.ctx, s.cfg.name(Trigger), payload, lambdahost.Sync) // its answer is dropped
			})
		}
		api.ServeHTTP(w, r)
	})
}

func (s *service) doubles() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.twice > 0
}
