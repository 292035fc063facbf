package cloudwatch_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go/encoding/cbor"
	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

const (
	east dr.Region = "us-east-1"
	west dr.Region = "us-west-2"
)

// wire answers calls in the rpc-v2-cbor protocol, one reply after the other, and
// keeps what was asked.
type wire struct {
	replies []reply
	seen    []call
}

type call struct {
	op, host string
	body     cbor.Map
	timeout  time.Duration
}

// reply is a body, or nil for silence.
type reply struct {
	status int
	body   cbor.Value
}

func (w *wire) Do(r *http.Request) (*http.Response, error) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	v, err := cbor.Decode(raw)
	if err != nil {
		return nil, err
	}
	c := call{op: path.Base(r.URL.Path), host: r.URL.Host, body: v.(cbor.Map)}
	if deadline, ok := r.Context().Deadline(); ok {
		c.timeout = time.Until(deadline)
	}
	w.seen = append(w.seen, c)
	if len(w.seen) > len(w.replies) {
		return nil, fmt.Errorf("call %d was not expected", len(w.seen))
	}
	p := w.replies[len(w.seen)-1]
	if p.body == nil {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	return &http.Response{
		StatusCode: p.status, Header: http.Header{"Content-Type": {"application/cbor"}, "Smithy-Protocol": {"rpc-v2-cbor"}},
		Body: io.NopCloser(bytes.NewReader(cbor.Encode(p.body))), Request: r,
	}, nil
}

func anyone() aws.Config { return aws.Config{Credentials: aws.AnonymousCredentials{}} }

func topology() dr.Topology {
	return dr.Topology{GlobalCluster: "orders", Members: []dr.Region{east, west}, Witness: "us-east-2"}
}

// at returns what is at a path of keys and indices.
func at(t *testing.T, v cbor.Value, keys ...any) cbor.Value {
	t.Helper()
	for _, k := range keys {
		switch k := k.(type) {
		case string:
			m, ok := v.(cbor.Map)
			require.True(t, ok, "%v has no %s", v, k)
			v = m[k]
		case int:
			l, ok := v.(cbor.List)
			require.True(t, ok && k < len(l), "%v has no %d", v, k)
			v = l[k]
		}
	}
	return v
}

var errBroken = errors.New("broken pipe")

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errBroken }
