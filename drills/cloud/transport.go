package cloud

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/cloud/internal/wire"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// maxBody bounds a request. DynamoDB takes 16 MB, the others less.
const maxBody = 16 << 20

// Transport carries requests to the emulated Regions without sockets. It is
// the HTTPClient of an SDK client (Do) and the transport of an http.Client
// (RoundTrip). A call returns when it is answered or its context ends. It
// works inside a testing/synctest bubble.
type Transport struct {
	cloud    *Cloud
	from, to dr.Region
}

// RoundTripper returns a transport to one Region, whatever host the request
// names, past every link and without latency.
func (c *Cloud) RoundTripper(to dr.Region) *Transport { return &Transport{cloud: c, to: to} }

// From returns a transport for a caller in one Region. The request's host says
// which Region it goes to, as in rds.us-west-2.amazonaws.com. Another Region
// costs a round trip (Config.Latency) and, while the link is down, silence.
func (c *Cloud) From(caller dr.Region) *Transport { return &Transport{cloud: c, from: caller} }

// Do answers a request.
func (t *Transport) Do(r *http.Request) (*http.Response, error) { return t.RoundTrip(r) }

// RoundTrip answers a request.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer func() { _ = r.Body.Close() }()
	}
	ctx := r.Context()
	to, err := t.destination(r)
	if err != nil {
		return nil, err
	}
	if err := t.travel(r, to); err != nil {
		return nil, err
	}
	resp, err := t.cloud.serve(ctx, t.from, to, r)
	if err != nil {
		return nil, err
	}
	return newAnswer(resp, r), nil
}

// answer is a response in one piece with its body.
type answer struct {
	http.Response
	body body
}

func newAnswer(resp wire.Response, r *http.Request) *http.Response {
	a := &answer{Response: http.Response{
		Status: "200 OK", StatusCode: resp.Status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header(resp), ContentLength: int64(len(resp.Body)), Request: r,
	}}
	if resp.Status != http.StatusOK {
		a.Status = strconv.Itoa(resp.Status) + " " + http.StatusText(resp.Status)
	}
	a.body.reader.Reset(resp.Body)
	a.Body = &a.body
	return &a.Response
}

// body is the body of a response.
type body struct{ reader bytes.Reader }

func (b *body) Read(p []byte) (int, error)         { return b.reader.Read(p) }
func (b *body) WriteTo(w io.Writer) (int64, error) { return b.reader.WriteTo(w) }
func (b *body) Close() error                       { return nil }

// travel takes a request to another Region: silence while the link is down,
// then a round trip. A request that never arrives is observed all the same.
func (t *Transport) travel(r *http.Request, to dr.Region) error {
	if t.from == "" || t.from == to {
		return nil
	}
	ctx, began := r.Context(), time.Now()
	err := t.cloud.links.Wait(ctx, t.from, to)
	if err == nil {
		err = t.cloud.links.Sleep(ctx, t.cloud.cfg.Latency(t.from, to))
	}
	if err != nil {
		body, _ := readBody(r) // at worst the operation stays unknown
		env, _ := t.cloud.open(to, r, body)
		t.cloud.observe(began, t.from, to, env, wire.Response{}, err)
	}
	return err
}

func (t *Transport) destination(r *http.Request) (dr.Region, error) {
	if t.to != "" {
		return t.to, nil
	}
	host := r.URL.Hostname()
	for rest := host; rest != ""; {
		var label string
		label, rest, _ = strings.Cut(rest, ".")
		if i := slices.Index(t.cloud.regions, dr.Region(label)); i >= 0 {
			return t.cloud.regions[i], nil
		}
	}
	return "", fmt.Errorf("cloud: route request to %s: no emulated Region in the host's name", host)
}

func header(resp wire.Response) http.Header {
	h := make(http.Header, 4)
	values := make([]string, 0, 4) // of all, in one piece
	set := func(name, value string) {
		n := len(values)
		values = append(values, value)
		h[name] = values[n : n+1 : n+1]
	}
	set("Content-Type", resp.Type)
	set("X-Amzn-Requestid", requestID)
	switch resp.Type {
	case wire.JSON.ContentType(): // DynamoDB's checksum, which SDKs verify
		set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE(resp.Body)), 10))
	case wire.CBOR.ContentType():
		set("Smithy-Protocol", "rpc-v2-cbor")
	}
	if resp.QueryError != "" {
		set("X-Amzn-Query-Error", resp.QueryError)
	}
	return h
}

// readBody reads a request's body. PutMetricData compresses bodies over 10 KiB.
func readBody(r *http.Request) (string, error) {
	if r.Body == nil {
		return "", nil
	}
	var in io.Reader = r.Body
	if value(r, "Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(in)
		if err != nil {
			return "", fmt.Errorf("cloud: read request: %w", err)
		}
		in = z
	} else if n := r.ContentLength; n > 0 && n <= maxBody {
		return readExactly(in, int(n))
	}
	body, err := io.ReadAll(io.LimitReader(in, maxBody+1))
	if err != nil {
		return "", fmt.Errorf("cloud: read request: %w", err)
	}
	if len(body) > maxBody {
		return "", fmt.Errorf("cloud: read request: body over %d bytes", maxBody)
	}
	return string(body), nil
}

// buffers are what bodies are read into, before they become text.
var buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}

// bufferSize is more than nearly every body has.
const bufferSize = 4 << 10

func readExactly(in io.Reader, n int) (string, error) {
	buffer := buffers.Get().(*[bufferSize]byte)
	defer buffers.Put(buffer)
	body := buffer[:]
	if n > len(body) {
		body = make([]byte, n)
	}
	if _, err := io.ReadFull(in, body[:n]); err != nil {
		return "", fmt.Errorf("cloud: read request: %w", err)
	}
	return string(body[:n]), nil
}
