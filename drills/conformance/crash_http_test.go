package conformance_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"
	"syscall"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/cloud"
	"github.com/lifeboat-dr/lifeboat/internal/crashpoint"
)

// The ways in which an HTTP call may go wrong, beside those of every layer.
var (
	reset       = crashpoint.Way{Name: "reset", Done: true, End: crashpoint.Refusal} // the connection breaks before the answer
	lost        = crashpoint.Way{Name: "lost", Done: true, End: crashpoint.Silence}
	failed      = crashpoint.Way{Name: "error", End: crashpoint.Refusal}       // status 500
	unavailable = crashpoint.Way{Name: "unavailable", End: crashpoint.Refusal} // status 503
)

// caller is one process's HTTP client.
type caller struct {
	*crashCloud
	process string
}

// Do implements aws.HTTPClient.
func (c caller) Do(r *http.Request) (*http.Response, error) {
	service, operation := called(r)
	if err := sleep(r.Context(), distance(service)/2); err != nil {
		return nil, err
	}
	var answer *http.Response
	ask := func() (err error) {
		if answer, err = c.From(west).Do(r); err != nil {
			return err
		}
		return sleep(r.Context(), distance(service)/2)
	}
	broken := func(f cloud.Fault) error {
		defer c.SetFault(f)()
		return ask()
	}
	on := cloud.On(west, service, operation)
	port := crashpoint.Port(c.process + "/" + string(service) + "/" + operation)
	err := c.s.Wires.Carry(r.Context(), port, ask, func(way crashpoint.Way) error {
		switch way {
		case reset:
			return syscall.ECONNRESET
		case failed:
			return broken(on.Fail(500))
		case unavailable:
			return broken(on.Fail(503))
		case crashpoint.Throttled:
			// By the service, so the other Regions' calls to it are, too.
			c.burst.Do(func() { time.AfterFunc(crashpoint.Burst, c.SetFault(on.Throttle())) })
			return ask()
		}
		return &url.Error{Op: r.Method, URL: r.URL.Redacted(), Err: syscall.ECONNREFUSED}
	})
	if err != nil && answer != nil {
		_ = answer.Body.Close()
		answer = nil
	}
	return answer, err
}

// distance is how long a call takes there and back: a strongly consistent table needs a
// majority of Regions.
func distance(s cloud.Service) time.Duration {
	if s == cloud.DynamoDB {
		return 60 * time.Millisecond
	}
	return 10 * time.Millisecond
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// called returns what a request asks of which service, from where its protocol puts it.
func called(r *http.Request) (cloud.Service, string) {
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		_, operation, _ := strings.Cut(target, ".")
		return cloud.DynamoDB, operation
	}
	if strings.Contains(r.URL.Path, "/operation/") {
		return cloud.CloudWatch, path.Base(r.URL.Path)
	}
	body, _ := io.ReadAll(r.Body) // of a form in memory
	r.Body = io.NopCloser(bytes.NewReader(body))
	form, _ := url.ParseQuery(string(body))
	if strings.HasPrefix(r.URL.Hostname(), "sns.") {
		return cloud.SNS, form.Get("Action")
	}
	return cloud.RDS, form.Get("Action")
}
