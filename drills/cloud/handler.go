package cloud

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/cloud/internal/wire"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// errRefused is a call whose connection is refused or broken.
var errRefused = &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}

// envelope is what a request says about itself outside its body.
type envelope struct {
	protocol  wire.Protocol
	service   Service
	operation string
}

// serve answers one request in a Region. An error means that there is no
// answer: ctx ended, or the connection broke.
func (c *Cloud) serve(ctx context.Context, from, to dr.Region, r *http.Request) (wire.Response, error) {
	began := time.Now()
	env, resp, err := c.answer(ctx, to, r)
	c.observe(began, from, to, env, resp, err)
	return resp, err
}

func (c *Cloud) observe(began time.Time, from, to dr.Region, env envelope, resp wire.Response, err error) {
	if c.cfg.Observe != nil {
		c.cfg.Observe(Exchange{
			At: began, Took: time.Since(began), From: from, To: to,
			Service: env.service, Operation: env.operation, Status: resp.Status, Code: resp.Code, Err: err,
		})
	}
}

func (c *Cloud) answer(ctx context.Context, region dr.Region, r *http.Request) (envelope, wire.Response, error) {
	body, err := readBody(r)
	if err != nil {
		return envelope{}, wire.Response{}, err
	}
	env, refusal := c.open(region, r, body)
	if refusal != nil {
		return env, refusal.Render(env.protocol, requestID), nil
	}
	e := c.faults.effect(region, env.service, env.operation)
	if err := c.links.Sleep(ctx, e.delay); err != nil {
		return env, wire.Response{}, err
	}
	switch e.kind {
	case hang:
		<-ctx.Done()
		return env, wire.Response{}, ctx.Err()
	case refuse:
		return env, wire.Response{}, errRefused
	case throttle:
		return env, throttled(env.protocol).Render(env.protocol, requestID), nil
	case reject:
		return env, rejected(e.why).Render(env.protocol, requestID), nil
	case fail:
		return env, broken(env.service, e.code).Render(env.protocol, requestID), nil
	}
	if env.service == RDS && !c.budgets[region].take(time.Now()) {
		return env, throttled(env.protocol).Render(env.protocol, requestID), nil
	}
	out, err := c.service(env.service).Serve(ctx, wire.Call{
		Region: region, Service: string(env.service), Operation: env.operation, Body: body, AsOf: e.stale,
	})
	if e.kind == lose {
		<-ctx.Done()
		return env, wire.Response{}, ctx.Err()
	}
	if err != nil {
		if refusal, ok := errors.AsType[*wire.Error](err); ok {
			return env, refusal.Render(env.protocol, requestID), nil
		}
		return env, wire.Response{}, err
	}
	return env, wire.Response{Status: http.StatusOK, Type: env.protocol.ContentType(), Body: out}, nil
}

// requestID is in every answer; nothing here needs to tell requests apart.
const requestID = "00000000-0000-4000-8000-000000000000"

// open reads the envelope: the service from the credential scope, the
// operation from where its protocol puts it. The signature is not verified.
func (c *Cloud) open(region dr.Region, r *http.Request, body string) (envelope, *wire.Error) {
	env := envelope{}
	target := value(r, "X-Amz-Target")
	switch {
	case target != "" && value(r, "Content-Type") == wire.JSON11.ContentType():
		env.protocol = wire.JSON11
	case target != "":
		env.protocol = wire.JSON
	case value(r, "Smithy-Protocol") == "rpc-v2-cbor":
		env.protocol = wire.CBOR
	}
	auth := value(r, "Authorization")
	if auth == "" {
		return env, anonymous(env.protocol)
	}
	if !slices.Contains(c.regions, region) {
		return env, wire.NotEmulated("aws", "Region "+string(region))
	}
	scope, ok := wire.ParseScope(auth)
	if !ok {
		return env, unsigned(env.protocol, "IncompleteSignature", "Authorization header requires a credential scope for Signature Version 4.")
	}
	if scope.Region != string(region) {
		return env, unsigned(env.protocol, "SignatureDoesNotMatch", fmt.Sprintf("Credential should be scoped to a valid region, not '%s'. ", scope.Region))
	}
	want := wire.Query
	switch env.service = Service(scope.Service); scope.Service {
	case "rds", "sns":
		env.operation = action(body)
	case "dynamodb":
		want = wire.JSON
		_, env.operation, _ = strings.Cut(target, "DynamoDB_20120810.")
	case "secretsmanager":
		want = wire.JSON11
		_, env.operation, _ = strings.Cut(target, "secretsmanager.")
	case "monitoring":
		want, env.service = wire.CBOR, CloudWatch
		_, env.operation, _ = strings.Cut(r.URL.Path, "/service/GraniteServiceVersion20100801/operation/")
	default:
		return env, wire.NotEmulated(scope.Service, "service")
	}
	switch {
	case env.protocol != want:
		return env, wire.NotEmulated(string(env.service), "this wire protocol")
	case r.Method != http.MethodPost:
		return env, wire.NotEmulated(string(env.service), "method "+r.Method)
	case env.operation == "" && want == wire.Query:
		return env, wire.Refuse(400, "MissingAction", "The request is missing an action or a required parameter.")
	case env.operation == "":
		return env, wire.Refuse(400, "UnknownOperationException", "The request names no operation")
	}
	return env, nil
}

// value returns the first value of a header. Unlike Header.Get it wants the canonical
// name, so that nothing is made of the name.
func value(r *http.Request, canonical string) string {
	if v := r.Header[canonical]; len(v) > 0 {
		return v[0]
	}
	return ""
}

func anonymous(p wire.Protocol) *wire.Error {
	if p == wire.Query {
		return wire.Refuse(403, "MissingAuthenticationToken", "Request is missing Authentication Token")
	}
	return wire.Refuse(400, "MissingAuthenticationTokenException", "Request is missing Authentication Token")
}

func unsigned(p wire.Protocol, code, message string) *wire.Error {
	if p == wire.Query {
		return wire.Refuse(403, code, "%s", message)
	}
	if code == "SignatureDoesNotMatch" {
		code = "InvalidSignature"
	}
	return wire.Refuse(400, code+"Exception", "%s", message)
}

// action finds the Action of a form body without parsing all of it.
func action(body string) string {
	for pair := range strings.SplitSeq(body, "&") {
		if v, ok := strings.CutPrefix(pair, "Action="); ok {
			return v
		}
	}
	return ""
}

// Handler serves one Region over HTTP, for a listener on loopback. A call that
// a fault refuses has its connection reset.
func (c *Cloud) Handler(region dr.Region) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		resp, err := c.serve(r.Context(), "", region, r)
		if err != nil {
			hangUp(w)
			return
		}
		h := w.Header()
		for k, v := range header(resp) {
			h[k] = v
		}
		w.WriteHeader(resp.Status)
		_, _ = w.Write(resp.Body) // the client may be gone
	})
}

// hangUp ends a connection without an answer.
func hangUp(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // the documented way to drop a connection that can't be taken over
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // a reset rather than a clean end
	}
	_ = conn.Close()
}
