package dynamo_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/dynamo"
)

// wire answers requests with a script, one reply after the other, and keeps them.
type wire struct {
	t       *testing.T
	replies []reply

	mu   sync.Mutex
	seen []request
}

type request struct {
	Op      string
	Host    string
	At      time.Time
	Timeout time.Duration
	Body    map[string]any
}

// reply is what the service says: a status and a body, or nothing.
type reply struct {
	status int
	body   string
	silent bool
}

func ok(body string) reply { return reply{status: 200, body: body} }

func refuse(code string) reply {
	return reply{status: 400, body: fmt.Sprintf(`{"__type":"com.amazonaws.dynamodb.v20120810#%s","message":"refused"}`, code)}
}

// refuseShowing is a refused condition that brings along what an answer to GetItem holds.
func refuseShowing(answer string) reply {
	r := refuse("ConditionalCheckFailedException")
	r.body = strings.TrimSuffix(r.body, "}") + "," + strings.TrimPrefix(answer, "{")
	return r
}

var silence = reply{silent: true}

func (w *wire) Do(r *http.Request) (*http.Response, error) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	rq := request{Op: strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "DynamoDB_20120810."), Host: r.URL.Host, At: time.Now()}
	if deadline, ok := r.Context().Deadline(); ok {
		rq.Timeout = time.Until(deadline)
	}
	if err := json.Unmarshal(raw, &rq.Body); err != nil {
		return nil, err
	}
	w.mu.Lock()
	n := len(w.seen)
	w.seen = append(w.seen, rq)
	w.mu.Unlock()
	if n >= len(w.replies) {
		return nil, fmt.Errorf("request %d was not expected: %s", n+1, rq.Op)
	}
	p := w.replies[n]
	if p.silent {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	return &http.Response{
		StatusCode: p.status, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		Body: io.NopCloser(strings.NewReader(p.body)), Request: r,
	}, nil
}

func (w *wire) ops() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var ops []string
	for _, r := range w.seen {
		ops = append(ops, r.Op)
	}
	return ops
}

// anyone signs nothing: the script doesn't look.
func anyone() aws.Config { return aws.Config{Credentials: aws.AnonymousCredentials{}} }

func script(t *testing.T, replies ...reply) (*wire, *dynamo.Store) {
	t.Helper()
	w := &wire{t: t, replies: replies}
	s, err := dynamo.New(dynamo.Config{
		Clients: []dynamo.Client{dynamo.NewClient(anyone(), west, "", w)}, Region: west, Table: "lifeboat-test", Cluster: "orders",
	})
	require.NoError(t, err)
	return w, s
}

const (
	east dr.Region = "us-east-1"
	west dr.Region = "us-west-2"
)

// leaseJSON is the lease item as the service returns it.
func leaseJSON(member string, epoch, rev int, holder dr.Region, execution string) string {
	return fmt.Sprintf(`{%q:{"pk":{"S":"orders"},"sk":{"S":"lease"},"epoch":{"N":"%d"},"holder":{"S":%q},"rev":{"N":"%d"},
		"execution":{"S":%q},"taken_rev":{"N":"1"},"taken_after_ns":{"N":"3000000000"}}}`, member, epoch, holder, rev, execution)
}
