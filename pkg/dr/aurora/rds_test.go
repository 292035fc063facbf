package aurora_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

const (
	east dr.Region = "us-east-1"
	west dr.Region = "us-west-2"
)

// region is one Region's RDS API: it answers every operation with the same words
// and keeps the requests.
type region struct {
	answers map[string]answer

	mu   sync.Mutex
	seen []url.Values
	host string
}

// answer is a body, a refusal, or silence.
type answer struct {
	body   string
	status int
	code   string
	err    error
	silent bool
}

func says(body string) answer             { return answer{body: body} }
func refuses(s int, code string) answer   { return answer{status: s, code: code} }
func breaks(err error) answer             { return answer{err: err} }
func (r *region) set(op string, a answer) { r.mu.Lock(); r.answers[op] = a; r.mu.Unlock() }

var silence = answer{silent: true}

func (r *region) Do(rq *http.Request) (*http.Response, error) {
	raw, err := io.ReadAll(rq.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(raw))
	if err != nil {
		return nil, err
	}
	op := form.Get("Action")
	r.mu.Lock()
	r.seen = append(r.seen, form)
	r.host = rq.URL.Host
	a, ok := r.answers[op]
	r.mu.Unlock()
	switch {
	case !ok:
		return nil, fmt.Errorf("%s was not expected in this Region", op)
	case a.silent:
		<-rq.Context().Done()
		return nil, rq.Context().Err()
	case a.err != nil:
		return nil, a.err
	case a.code != "":
		a.body = "<ErrorResponse><Error><Type>Sender</Type><Code>" + a.code + "</Code><Message>no</Message></Error></ErrorResponse>"
	default:
		a.status = http.StatusOK
		a.body = fmt.Sprintf("<%[1]sResponse><%[1]sResult>%[2]s</%[1]sResult></%[1]sResponse>", op, a.body)
	}
	return &http.Response{
		StatusCode: a.status, Header: http.Header{"Content-Type": {"text/xml"}}, Body: io.NopCloser(strings.NewReader(a.body)), Request: rq,
	}, nil
}

// asked returns the requests of an operation.
func (r *region) asked(op string) []url.Values {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []url.Values
	for _, f := range r.seen {
		if f.Get("Action") == op {
			out = append(out, f)
		}
	}
	return out
}

func anyone() aws.Config { return aws.Config{Credentials: aws.AnonymousCredentials{}} }

func clusterARN(r dr.Region) string {
	return fmt.Sprintf("arn:aws:rds:%s:123456789012:cluster:orders-%[1]s", r)
}

// global is a global cluster in XML; extra is more of its elements.
func global(status string, writer dr.Region, extra string) answer {
	var b strings.Builder
	fmt.Fprintf(&b, "<GlobalClusters><GlobalClusterMember><GlobalClusterIdentifier>orders</GlobalClusterIdentifier><Status>%s</Status><GlobalClusterMembers>", status)
	for _, r := range []dr.Region{east, west} {
		fmt.Fprintf(&b, "<GlobalClusterMember><DBClusterArn>%s</DBClusterArn><IsWriter>%t</IsWriter></GlobalClusterMember>", clusterARN(r), r == writer)
	}
	fmt.Fprintf(&b, "</GlobalClusterMembers>%s</GlobalClusterMember></GlobalClusters>", extra)
	return says(b.String())
}

func moving(status string, to dr.Region) string {
	return fmt.Sprintf("<FailoverState><Status>%s</Status><ToDbClusterArn>%s</ToDbClusterArn></FailoverState>", status, clusterARN(to))
}

// memberXML is a member cluster; the writer is the first instance.
func memberXML(status string, instances ...string) answer {
	var b strings.Builder
	fmt.Fprintf(&b, "<DBClusters><DBCluster><Status>%s</Status><DBClusterMembers>", status)
	for n, id := range instances {
		fmt.Fprintf(&b, "<DBClusterMember><DBInstanceIdentifier>%s</DBInstanceIdentifier><IsClusterWriter>%t</IsClusterWriter></DBClusterMember>", id, n == 0)
	}
	b.WriteString("</DBClusterMembers></DBCluster></DBClusters>")
	return says(b.String())
}

// instances lists instances as pairs of identifier and status.
func instances(pairs ...string) answer {
	var b strings.Builder
	b.WriteString("<DBInstances>")
	for i := 0; i < len(pairs); i += 2 {
		fmt.Fprintf(&b, "<DBInstance><DBInstanceIdentifier>%s</DBInstanceIdentifier><DBInstanceStatus>%s</DBInstanceStatus></DBInstance>", pairs[i], pairs[i+1])
	}
	b.WriteString("</DBInstances>")
	return says(b.String())
}

func within(ctx context.Context, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(ctx, d)
	context.AfterFunc(ctx, cancel)
	return ctx
}
