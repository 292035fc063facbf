package cloud

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// Service names an emulated service in a fault.
type Service string

// The emulated services. DNS has one operation per query type, such as A.
const (
	RDS            Service = "rds"
	DynamoDB       Service = "dynamodb"
	CloudWatch     Service = "cloudwatch"
	SNS            Service = "sns"
	SecretsManager Service = "secretsmanager"
	DNS            Service = "dns"
)

// Calls selects calls by Region, service and operation. An empty field or "*"
// selects all; an operation may end in "*", as in Describe*.
type Calls struct {
	Region    dr.Region
	Service   Service
	Operation string
}

// On selects calls.
func On(r dr.Region, s Service, operation string) Calls {
	return Calls{Region: r, Service: s, Operation: operation}
}

// String prints the selection as region/service/operation.
func (c Calls) String() string {
	return string(or(c.Region, "*")) + "/" + string(or(c.Service, "*")) + "/" + or(c.Operation, "*")
}

func (c Calls) match(r dr.Region, s Service, operation string) bool {
	return glob(string(c.Region), string(r)) && glob(string(c.Service), string(s)) && glob(c.Operation, operation)
}

func glob(pattern, name string) bool {
	if pattern == "" {
		return true
	}
	if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(name, prefix)
	}
	return pattern == name
}

// Fault is what happens to the calls it selects. Make one with the methods of
// [Calls] or with [ParseFault]; the zero value does nothing.
type Fault struct {
	calls  Calls
	kind   kind
	d      time.Duration
	status int
	code   string
}

type kind string

const (
	delay    kind = "delay"
	hang     kind = "hang"
	refuse   kind = "refuse"
	throttle kind = "throttle"
	fail     kind = "error"
	reject   kind = "reject"
	stale    kind = "stale"
	lose     kind = "lose"
)

// Delay makes calls wait before they are served.
func (c Calls) Delay(d time.Duration) Fault { return Fault{calls: c, kind: delay, d: max(d, 0)} }

// Hang leaves calls without an answer until the caller gives up; they are not
// served.
func (c Calls) Hang() Fault { return Fault{calls: c, kind: hang} }

// Refuse breaks the connection: connection refused in process, a closed
// connection on loopback, REFUSED in DNS.
func (c Calls) Refuse() Fault { return Fault{calls: c, kind: refuse} }

// Throttle answers with the service's throttling error.
func (c Calls) Throttle() Fault { return Fault{calls: c, kind: throttle} }

// Fail answers with a server error of the given status; what is not between
// 500 and 599 counts as 500.
func (c Calls) Fail(status int) Fault {
	if status < 500 || status > 599 {
		status = 500
	}
	return Fault{calls: c, kind: fail, status: status}
}

// Reject answers with a refusal of the given code, such as AccessDeniedException or
// InvalidGlobalClusterStateFault: the service works, and does not do it.
func (c Calls) Reject(code string) Fault { return Fault{calls: c, kind: reject, code: code} }

// Deny answers with the service's own word for a caller who may not.
func (c Calls) Deny() Fault { return c.Reject(denied[c.Service]) }

// denied are the codes of the services (each API reference, common errors).
var denied = map[Service]string{
	"": "AccessDeniedException", RDS: "AccessDenied", DynamoDB: "AccessDeniedException", CloudWatch: "AccessDenied",
	SNS: "AuthorizationError", SecretsManager: "AccessDeniedException", DNS: "REFUSED",
}

// Stale makes reads (Describe* of RDS, reads of DynamoDB, DNS) answer as of
// some time ago, at most Config.History. Other calls are not affected.
func (c Calls) Stale(ago time.Duration) Fault { return Fault{calls: c, kind: stale, d: max(ago, 0)} }

// Lose serves calls but never answers: what they did has happened, and the
// caller can't know.
func (c Calls) Lose() Fault { return Fault{calls: c, kind: lose} }

// Calls returns what the fault selects.
func (f Fault) Calls() Calls { return f.calls }

// String prints the fault so that [ParseFault] can read it back, as in
//
//	us-east-1/rds/FailoverGlobalCluster=delay(2s)
func (f Fault) String() string {
	s := f.calls.String() + "=" + string(or(f.kind, "none"))
	switch f.kind {
	case delay, stale:
		s += "(" + f.d.String() + ")"
	case fail:
		s += "(" + strconv.Itoa(f.status) + ")"
	case reject:
		s += "(" + f.code + ")"
	}
	return s
}

// ParseFault reads region/service/operation=kind, where each part may be "*"
// and kind is delay(d), hang, refuse, throttle, error(status), reject(code), stale(d),
// lose or none. It accepts everything that [Fault.String] prints.
func ParseFault(s string) (Fault, error) {
	bad := func(why string, args ...any) (Fault, error) {
		return Fault{}, fmt.Errorf("cloud: parse fault %q: %s; write region/service/operation=kind, such as us-east-1/rds/*=delay(2s)",
			s, fmt.Sprintf(why, args...))
	}
	where, what, ok := strings.Cut(s, "=")
	if !ok {
		return bad("no =")
	}
	parts := strings.Split(where, "/")
	if len(parts) != 3 {
		return bad("%d parts before =, not 3", len(parts))
	}
	for i, p := range parts {
		if p == "" || strings.ContainsAny(p, " ()") || strings.Contains(strings.TrimSuffix(p, "*"), "*") || i < 2 && len(p) > 1 && strings.HasSuffix(p, "*") {
			return bad("%q selects nothing", p)
		}
		if p == "*" {
			parts[i] = ""
		}
	}
	calls := On(dr.Region(parts[0]), Service(parts[1]), parts[2])
	switch calls.Service {
	case "", RDS, DynamoDB, CloudWatch, SNS, SecretsManager, DNS:
	default:
		return bad("unknown service %q", parts[1])
	}
	name, arg, hasArg := strings.Cut(what, "(")
	if hasArg {
		if arg, hasArg = strings.CutSuffix(arg, ")"); !hasArg {
			return bad("no closing parenthesis")
		}
	}
	switch k := kind(name); k {
	case hang, refuse, throttle, lose, "none":
		if hasArg {
			return bad("%s takes no argument", name)
		}
		if k == "none" {
			k = ""
		}
		return Fault{calls: calls, kind: k}, nil
	case delay, stale:
		d, err := time.ParseDuration(arg)
		if err != nil || d < 0 {
			return bad("%s needs a duration", name)
		}
		return Fault{calls: calls, kind: k, d: d}, nil
	case reject:
		if !errorCode.MatchString(arg) {
			return bad("reject needs a code, such as AccessDeniedException")
		}
		return Fault{calls: calls, kind: k, code: arg}, nil
	case fail:
		n, err := strconv.Atoi(arg)
		if err != nil || n < 500 || n > 599 {
			return bad("error needs a status between 500 and 599")
		}
		return Fault{calls: calls, kind: k, status: n}, nil
	}
	return bad("unknown kind %q", name)
}

// errorCode is the shape of a code of AWS's.
var errorCode = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9.]{0,99}$`)
