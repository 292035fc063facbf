package conformance_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/cloud"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// way is what happens to one HTTP call.
type way string

// The ways in which a call may go wrong. The last three end the process that calls.
const (
	refused     way = "refused"      // connection refused
	reset       way = "reset"        // carried out, and the connection breaks before the answer
	hangs       way = "hangs"        // never arrives, and nothing comes back
	lost        way = "lost"         // carried out, and nothing comes back
	failed      way = "error"        // status 500
	unavailable way = "unavailable"  // status 503
	throttled   way = "throttled"    // and so is every call of this operation for two seconds
	killed      way = "killed"       // the process dies before the call is carried out
	killedDone  way = "killed-done"  // it dies after that, before it hears the answer
	killedHeard way = "killed-heard" // it dies when it has heard the answer
)

var ways = []way{refused, reset, hangs, lost, failed, unavailable, throttled, killed, killedDone, killedHeard}

// throttling is how long a burst of throttling lasts.
const throttling = 2 * time.Second

// port names a process and what it calls, as in agent/dynamodb/PutItem.
type port string

// point is the n-th call of a port from the fault on, and what happens to it. The zero
// point is nowhere.
type point struct {
	port port
	n    int
	way  way
}

func (p point) String() string { return fmt.Sprintf("%s/%d/%s", p.port, p.n, p.way) }

func parsePoint(s string) (point, error) {
	parts := strings.Split(s, "/")
	if len(parts) != 5 || !slices.Contains(ways, way(parts[4])) {
		return point{}, fmt.Errorf("point %q: write process/service/operation/n/way, the way one of %v", s, ways)
	}
	n, err := strconv.Atoi(parts[3])
	return point{port(strings.Join(parts[:3], "/")), n, way(parts[4])}, err
}

// wire carries the calls of one Region's processes, counts them by port, and lets the one
// at the point go wrong.
type wire struct {
	cloud *cloud.Cloud
	at    point
	crash chan string // the process that is to be killed

	mu     sync.Mutex
	counts map[port]int // nil until the fault
	hit    bool
	waits  time.Duration // the deadline of the call at the point
	loose  []port        // called without a deadline
}

// arrive counts a call, and returns what happens to it; nothing mostly.
func (w *wire) arrive(r *http.Request, p port) way {
	w.mu.Lock()
	defer w.mu.Unlock()
	deadline, bounded := r.Context().Deadline()
	if !bounded && !slices.Contains(w.loose, p) {
		w.loose = append(w.loose, p)
	}
	if w.counts == nil {
		return ""
	}
	w.counts[p]++
	if p != w.at.port || w.counts[p] != w.at.n {
		return ""
	}
	w.hit, w.waits = true, time.Until(deadline)
	return w.at.way
}

// caller is one process's HTTP client.
type caller struct {
	w       *wire
	process string
}

// Do implements aws.HTTPClient.
func (c caller) Do(r *http.Request) (*http.Response, error) {
	service, operation := called(r)
	ctx := r.Context()
	if err := sleep(ctx, distance(service)/2); err != nil {
		return nil, err
	}
	switch way := c.w.arrive(r, port(c.process+"/"+string(service)+"/"+operation)); way {
	case "":
	case refused:
		return nil, &url.Error{Op: r.Method, URL: r.URL.Redacted(), Err: syscall.ECONNREFUSED}
	case reset:
		return nil, errors.Join(syscall.ECONNRESET, c.discard(r))
	case hangs:
		<-ctx.Done()
		return nil, ctx.Err()
	case lost:
		return nil, c.silence(r)
	case failed:
		defer c.w.cloud.SetFault(cloud.On(west, service, operation).Fail(500))()
	case unavailable:
		defer c.w.cloud.SetFault(cloud.On(west, service, operation).Fail(503))()
	case throttled:
		time.AfterFunc(throttling, c.w.cloud.SetFault(cloud.On(west, service, operation).Throttle()))
	case killed:
		c.w.crash <- c.process
		<-ctx.Done()
		return nil, ctx.Err()
	case killedDone:
		err := c.discard(r)
		c.w.crash <- c.process
		<-ctx.Done()
		return nil, errors.Join(ctx.Err(), err)
	case killedHeard:
		defer func() { c.w.crash <- c.process }()
	}
	answer, err := c.w.cloud.From(west).Do(r)
	if err == nil {
		err = sleep(ctx, distance(service)/2)
	}
	return answer, err
}

// discard has a call carried out, and loses the answer.
func (c caller) discard(r *http.Request) error {
	answer, err := c.w.cloud.From(west).Do(r)
	if err != nil {
		return err
	}
	return answer.Body.Close()
}

func (c caller) silence(r *http.Request) error {
	err := c.discard(r)
	<-r.Context().Done()
	return errors.Join(r.Context().Err(), err)
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

// crashServers is what the emulated control plane acts on, as the network lets it.
type crashServers struct{ *world }

func (s crashServers) Promote(_ context.Context, to dr.Region, dataLoss bool) error {
	if writer, _ := s.pair.Following(); writer == to {
		return nil
	}
	if dataLoss {
		_, err := s.pair.Promote(to)
		return err
	}
	return s.pair.Move(to, 0, true)
}

func (s crashServers) Fence(ctx context.Context, old dr.Region) error {
	if !s.net.Reaches(east, west) {
		<-ctx.Done()
		return ctx.Err()
	}
	return s.pair.DB(old).Fence(ctx, 0)
}

func (s crashServers) Rejoin(ctx context.Context, old, _ dr.Region) error {
	if !s.net.Reaches(east, west) {
		<-ctx.Done()
		return ctx.Err()
	}
	return s.pair.Rejoin(old)
}

func (s crashServers) Reboot(_ context.Context, r dr.Region) error {
	s.pair.DB(r).Reboot()
	return nil
}
