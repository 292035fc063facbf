package cloud

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/cloud/internal/wire"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// switchboard holds the faults that are on. Calls read it without a lock.
type switchboard struct {
	mu     sync.Mutex
	active atomic.Pointer[[]*Fault]
}

func (s *switchboard) load() []*Fault {
	if p := s.active.Load(); p != nil {
		return *p
	}
	return nil
}

func (s *switchboard) add(f Fault) (clear func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := &f
	next := append(slices.Clone(s.load()), p)
	s.active.Store(&next)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		next := slices.DeleteFunc(slices.Clone(s.load()), func(q *Fault) bool { return q == p })
		s.active.Store(&next)
	}
}

func (s *switchboard) list() []Fault {
	var out []Fault
	for _, f := range s.load() {
		out = append(out, *f)
	}
	return out
}

// effect is what all faults together do to one call.
type effect struct {
	delay time.Duration
	stale time.Duration
	kind  kind // the most drastic of the rest
	code  int
	why   string // the code of a refusal
}

// severity orders the kinds that end a call.
func severity(k kind) int {
	return slices.Index([]kind{"", lose, reject, throttle, fail, refuse, hang}, k)
}

func (s *switchboard) effect(r dr.Region, service Service, operation string) effect {
	var e effect
	for _, f := range s.load() {
		if !f.calls.match(r, service, operation) {
			continue
		}
		switch f.kind {
		case delay:
			e.delay += f.d
		case stale:
			e.stale = max(e.stale, f.d)
		default:
			if severity(f.kind) > severity(e.kind) {
				e.kind, e.code, e.why = f.kind, f.status, f.code
			}
		}
	}
	return e
}

// throttled is the throttling error of each service's protocol. Query services
// say Throttling, the others ThrottlingException. RDS has been seen to say either
// (aws-cli issue 8604; aws-cloudformation-resource-providers-rds pull 205), and the
// SDK's retryer takes both for throttling.
func throttled(p wire.Protocol) *wire.Error {
	if p == wire.Query {
		return wire.Refuse(400, "Throttling", "Rate exceeded")
	}
	e := wire.Refuse(400, "ThrottlingException", "Rate exceeded")
	if p == wire.CBOR {
		e.Code, e.Shape = "Throttling", "ThrottlingException"
	}
	return e
}

// broken is a server error of each service's protocol.
func broken(s Service, status int) *wire.Error {
	if status == 503 {
		code := map[Service]string{RDS: "ServiceUnavailable", SNS: "ServiceUnavailable"}[s]
		return wire.Refuse(503, or(code, "ServiceUnavailableException"), "The service is unavailable. Try again later.")
	}
	e := wire.Refuse(status, "InternalFailure", "The request processing has failed because of an unknown error, exception or failure.")
	switch s {
	case DynamoDB:
		e.Code = "InternalServerError"
	case CloudWatch:
		e.Code, e.Shape = "InternalServiceError", "InternalServiceFault"
	case SNS:
		e.Code = "InternalError"
	case SecretsManager:
		e.Code = "InternalServiceError"
	}
	return e
}

// rejected is a refusal that a fault has asked for.
func rejected(code string) *wire.Error {
	status := 400
	if strings.Contains(code, "Denied") || code == "AuthorizationError" {
		status = 403
	}
	return wire.Refuse(status, code, "The request was refused by a fault of the emulated cloud")
}
