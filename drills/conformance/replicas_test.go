package conformance_test

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/cloud"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/dynamo"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// ill is what may be wrong with DynamoDB in one Region, or with the way to it.
type ill struct {
	fault func(cloud.Calls) cloud.Fault               // of the service
	net   func(*http.Request) (*http.Response, error) // of the way, instead of it
	costs time.Duration                               // at most, for one call
}

func says(status int, code string) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) {
		body := fmt.Sprintf(`{"__type":"com.amazonaws.dynamodb.v20120810#%s","message":"no"}`, code)
		return &http.Response{
			StatusCode: status, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}}, Body: io.NopCloser(strings.NewReader(body)), Request: r,
		}, nil
	}
}

func breaks(err error) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) { return nil, err }
}

const hedge = 200 * time.Millisecond

var ills = map[string]ill{
	"refuses":          {fault: cloud.Calls.Refuse},
	"hangs":            {fault: cloud.Calls.Hang, costs: hedge},
	"is slow":          {fault: func(c cloud.Calls) cloud.Fault { return c.Delay(3 * time.Second) }, costs: hedge},
	"is a bit slow":    {fault: func(c cloud.Calls) cloud.Fault { return c.Delay(270 * time.Millisecond) }, costs: hedge},
	"throttles":        {fault: cloud.Calls.Throttle},
	"fails with 500":   {fault: func(c cloud.Calls) cloud.Fault { return c.Fail(500) }},
	"fails with 503":   {fault: func(c cloud.Calls) cloud.Fault { return c.Fail(503) }},
	"loses answers":    {fault: cloud.Calls.Lose, costs: hedge},
	"denies":           {net: says(400, "AccessDeniedException")},
	"lacks the table":  {net: says(400, "ResourceNotFoundException")},
	"knows no client":  {net: says(400, "UnrecognizedClientException")},
	"finds us expired": {net: says(400, "ExpiredTokenException")},
	"answers 429":      {net: says(429, "RequestLimitExceeded")},
	"answers nonsense": {net: says(502, "")},
	"resets":           {net: breaks(syscall.ECONNRESET)},
	"has no name":      {net: breaks(&net.DNSError{Err: "no such host", Name: "dynamodb.us-east-1.amazonaws.com", IsNotFound: true})},
	"has a wrong name": {net: breaks(x509.HostnameError{Host: "dynamodb", Certificate: &x509.Certificate{}})},
	"is unreachable":   {net: breaks(syscall.EHOSTUNREACH)},
}

type doer func(*http.Request) (*http.Response, error)

func (d doer) Do(r *http.Request) (*http.Response, error) { return d(r) }

// hurt makes a Region's DynamoDB fail for requests through the client that it returns.
func (w *world) hurt(i ill, at dr.Region, through aws.HTTPClient) aws.HTTPClient {
	if i.fault != nil {
		w.SetFault(i.fault(cloud.On(at, cloud.DynamoDB, "*")))
		return through
	}
	return doer(func(r *http.Request) (*http.Response, error) {
		if strings.Contains(r.URL.Host, at.String()) {
			return i.net(r)
		}
		return through.Do(r)
	})
}

// storeThrough is the lease store of a Region by a client.
func storeThrough(t *testing.T, r dr.Region, client aws.HTTPClient) *dynamo.Store {
	cfg := dynamo.Config{Region: r, Table: table, Cluster: globalCluster}
	replicas := []dr.Region{east, west}
	if r == west {
		slices.Reverse(replicas)
	}
	for _, at := range replicas {
		cfg.Clients = append(cfg.Clients, dynamo.NewClient(config(), at, "", client))
	}
	s, err := dynamo.New(cfg)
	require.NoError(t, err)
	return s
}

// TestTheLossOfOneRegionsStore holds that whatever becomes of DynamoDB in one Region, every
// call from every Region does what it did before, in its order, at most Hedge later; and
// that a process which is used to it doesn't pay that for each call.
func TestTheLossOfOneRegionsStore(t *testing.T) {
	worst := time.Duration(0)
	for name, i := range ills {
		for _, from := range []dr.Region{east, west, witness} {
			for _, at := range []dr.Region{east, west} {
				t.Run(fmt.Sprintf("%s in %s, from %s", name, at, from), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						healthy := took(t, from, func(*world, aws.HTTPClient) aws.HTTPClient { return nil })
						ill := took(t, from, func(w *world, through aws.HTTPClient) aws.HTTPClient { return w.hurt(i, at, through) })
						require.Len(t, ill, len(healthy))
						var sum time.Duration
						for n, call := range ill {
							// The other member's replica is farther away.
							added := call.took - healthy[n].took
							worst = max(worst, added)
							sum += added
							require.LessOrEqual(t, added, i.costs+150*time.Millisecond, "%s", call.name)
						}
						require.Less(t, sum, i.costs+time.Duration(len(ill))*150*time.Millisecond, "the replica that works is asked first")
					})
				})
			}
		}
	}
	t.Logf("worst latency added to one call: %v", worst)
}

type timed struct {
	name string
	took time.Duration
}

// took makes every kind of call once from a Region, warm, and returns what each took. The
// illness begins when the process is used to the table.
func took(t *testing.T, from dr.Region, hurt func(*world, aws.HTTPClient) aws.HTTPClient) []timed {
	w := startWith(t, 0)
	var now aws.HTTPClient = w.From(from)
	s := storeThrough(t, from, doer(func(r *http.Request) (*http.Response, error) { return now.Do(r) }))
	held, err := w.store(t, east).TakeLease(t.Context(), failover.Lease{}, failover.Claim{Holder: from})
	require.NoError(t, err)
	_, err = s.ReadLease(t.Context())
	require.NoError(t, err)
	if client := hurt(w, now); client != nil {
		now = client
	}
	var out []timed
	call := func(name string, f func(context.Context) error) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		require.NoError(t, f(ctx), name)
		out = append(out, timed{name, time.Since(began)})
	}
	for n := range 3 {
		call("renew", func(ctx context.Context) (err error) {
			rev := held.Rev
			held, err = s.RenewLease(ctx, held)
			require.True(t, err != nil || held.Rev > rev)
			return err
		})
		call("read", func(ctx context.Context) error {
			l, err := s.ReadLease(ctx)
			require.True(t, err != nil || l.Epoch == held.Epoch && l.Rev >= held.Rev)
			held = l
			return err
		})
		call("publish", func(ctx context.Context) error {
			return s.Publish(ctx, failover.Report{Region: from, Seq: uint64(n + 1)})
		})
		call("heartbeats", func(ctx context.Context) error {
			all, err := s.Reports(ctx)
			require.True(t, err != nil || len(all) == 1 && all[0].Seq == uint64(n+1))
			return err
		})
		call("append", func(ctx context.Context) error {
			return s.Append(ctx, failover.Entry{Execution: failover.Execution{ID: "x", Seq: n + 1}, At: time.Now()})
		})
		call("monitor lease", func(ctx context.Context) error {
			return s.WriteMonitorLease(ctx, monitorLeaseNumber(from, n), monitorLeaseNumber(from, n+1))
		})
		call("release", func(ctx context.Context) (err error) {
			held, err = s.ReleaseLease(ctx, held)
			require.True(t, err != nil || held.Released)
			return err
		})
		call("take", func(ctx context.Context) (err error) {
			epoch := held.Epoch
			held, err = s.TakeLease(ctx, held, failover.Claim{Holder: from, Execution: fmt.Sprint(n)})
			require.True(t, err != nil || held.Epoch == epoch+1)
			return err
		})
	}
	return out
}

func monitorLeaseNumber(r dr.Region, n int) dynamo.MonitorLease {
	if n == 0 {
		return dynamo.MonitorLease{Region: r}
	}
	return dynamo.MonitorLease{Region: r, Holder: "a", Number: uint64(n)}
}

// A process that starts while one Region's store is ill doesn't wait for it.
func TestAStartBesideAnIllStore(t *testing.T) {
	for name, i := range ills {
		for _, at := range []dr.Region{east, west} {
			t.Run(name+" in "+at.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := startWith(t, 0)
					held, err := w.store(t, east).TakeLease(t.Context(), failover.Lease{}, failover.Claim{Holder: east})
					require.NoError(t, err)
					s := storeThrough(t, east, w.hurt(i, at, w.From(east)))
					began := time.Now()
					l, err := s.ReadLease(t.Context())
					require.NoError(t, err)
					require.Equal(t, held, l)
					require.Less(t, time.Since(began), hedge, "the first read asks both")
				})
			})
		}
	}
}

// When the first replica is well again, it is asked first again.
func TestTheWayHomeToTheOwnStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := startWith(t, 0)
		var mu sync.Mutex // a hedged call asks both Regions at once
		asked := map[string]int{}
		s := storeThrough(t, east, doer(func(r *http.Request) (*http.Response, error) {
			mu.Lock()
			asked[strings.Split(r.URL.Host, ".")[1]]++
			mu.Unlock()
			return w.From(east).Do(r)
		}))
		read := func(n int) map[string]int {
			mu.Lock()
			clear(asked)
			mu.Unlock()
			for range n {
				_, err := s.ReadLease(t.Context())
				require.ErrorIs(t, err, failover.ErrNoLease)
				<-time.After(500 * time.Millisecond)
			}
			mu.Lock()
			defer mu.Unlock()
			return maps.Clone(asked)
		}
		read(1)
		require.Equal(t, map[string]int{"us-east-1": 10}, read(10), "in steady state a call is one request")
		heal := w.SetFault(cloud.On(east, cloud.DynamoDB, "*").Hang())
		require.Equal(t, map[string]int{"us-east-1": 4, "us-west-2": 60}, read(60), "once when it begins, and every ten seconds")
		heal()
		read(20)
		require.Equal(t, map[string]int{"us-east-1": 10}, read(10))
	})
}
