package cloud_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/cloud"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

const (
	east    dr.Region = "us-east-1"
	west    dr.Region = "us-west-2"
	witness dr.Region = "us-east-2"
)

// servers is an in-memory pair of database servers: which one accepts writes,
// and which one follows.
type servers struct {
	mu      sync.Mutex
	writing map[dr.Region]bool
	follows map[dr.Region]dr.Region
	calls   []string
	fails   map[string]error // by call, such as "promote us-west-2"
	hangs   map[string]bool  // calls that last until their context ends
}

func newServers() *servers {
	return &servers{
		writing: map[dr.Region]bool{east: true},
		follows: map[dr.Region]dr.Region{west: east},
		fails:   map[string]error{},
		hangs:   map[string]bool{},
	}
}

func (s *servers) do(ctx context.Context, call string, act func()) error {
	s.mu.Lock()
	hang := s.hangs[call]
	s.mu.Unlock()
	if hang {
		<-ctx.Done()
		return ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, call)
	if err := s.fails[call]; err != nil {
		return err
	}
	act()
	return nil
}

func (s *servers) Promote(ctx context.Context, r dr.Region, _ bool) error {
	return s.do(ctx, "promote "+string(r), func() { s.writing[r] = true; delete(s.follows, r) })
}

func (s *servers) Fence(ctx context.Context, r dr.Region) error {
	return s.do(ctx, "fence "+string(r), func() { s.writing[r] = false })
}

func (s *servers) Rejoin(ctx context.Context, old, writer dr.Region) error {
	return s.do(ctx, "rejoin "+string(old)+" "+string(writer), func() { s.writing[old] = false; s.follows[old] = writer })
}

func (s *servers) Reboot(ctx context.Context, r dr.Region) error {
	return s.do(ctx, "reboot "+string(r), func() { s.writing[r] = false })
}

func (s *servers) set(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

func (s *servers) log() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.calls...)
}

func fixed(d time.Duration) func(*rand.Rand) time.Duration {
	return func(*rand.Rand) time.Duration { return d }
}

// world is a running cloud with SDK clients in each Region.
type world struct {
	*cloud.Cloud
	servers *servers
}

// start makes a cloud and runs it until the test ends. In a bubble it must be
// called inside it.
func start(t testing.TB, edit func(*cloud.Config)) *world {
	t.Helper()
	s := newServers()
	cfg := cloud.Config{
		Servers: s,
		Tables: []cloud.Table{
			{Name: "lease", PartitionKey: "id"},
			{Name: "journal", PartitionKey: "id", SortKey: "seq", SortType: "N"},
			{Name: "names", PartitionKey: "id", SortKey: "name"},
		},
		Topics:    []cloud.Topic{{Region: east, Name: "people"}, {Region: west, Name: "people"}},
		Promotion: fixed(3 * time.Second),
		DNSDelay:  fixed(500 * time.Millisecond),
	}
	if edit != nil {
		edit(&cfg)
	}
	c, err := cloud.New(cfg)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-done)
	})
	return &world{Cloud: c, servers: s}
}

func credentials(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "example"}, nil
}

func (w *world) rds(r dr.Region) *rds.Client {
	return rds.New(rds.Options{
		Region: string(r), HTTPClient: w.RoundTripper(r), Credentials: aws.CredentialsProviderFunc(credentials),
		RetryMaxAttempts: 1,
	})
}

func (w *world) dynamo(r dr.Region) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region: string(r), HTTPClient: w.RoundTripper(r), Credentials: aws.CredentialsProviderFunc(credentials),
		RetryMaxAttempts: 1,
	})
}

func (w *world) watch(r dr.Region) *cloudwatch.Client {
	return cloudwatch.New(cloudwatch.Options{
		RequestMinCompressSizeBytes: 10240, // what config.LoadDefaultConfig sets; zero compresses everything
		Region:                      string(r), HTTPClient: w.RoundTripper(r), Credentials: aws.CredentialsProviderFunc(credentials),
		RetryMaxAttempts: 1,
	})
}

func (w *world) sns(r dr.Region) *sns.Client {
	return sns.New(sns.Options{
		Region: string(r), HTTPClient: w.RoundTripper(r), Credentials: aws.CredentialsProviderFunc(credentials),
		RetryMaxAttempts: 1,
	})
}

// code asserts that an error is an answer of the service and returns its code.
func code(t *testing.T, err error) string {
	t.Helper()
	require.Error(t, err)
	api, ok := errors.AsType[smithy.APIError](err)
	require.True(t, ok, "not an answer: %v", err)
	return api.ErrorCode()
}
