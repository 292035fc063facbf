// Package fault names what a drill breaks.
//
// A [Fault] is a value: it prints, and what it prints parses back, so a report
// can be pasted into the next run. It knows nothing about how a target breaks:
// that is the target's [Injector]. A [Plan] puts several faults on one time
// line, and a [Set] keeps what is injected and undoes all of it, always.
package fault

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// Fault is one thing that breaks. Fields that its kind doesn't take are zero.
type Fault struct {
	Kind     Kind
	Region   dr.Region     // where; for a link, its source
	Peer     dr.Region     // the other end of a link
	Service  Service       // of kind Dependency
	How      How           // of a kind that has several ways
	Duration time.Duration // how much or how long, as its kind says; above zero
}

// String prints the fault as Parse reads it, such as
// "replication-lag(us-east-1,us-west-2,5s)".
func (f Fault) String() string {
	t, _ := takes(f.Kind)
	var args []string
	if t.region || f.Region != "" {
		args = append(args, string(f.Region))
	}
	if t.peer || f.Peer != "" {
		args = append(args, string(f.Peer))
	}
	if t.service || f.Service != "" {
		args = append(args, string(f.Service))
	}
	if t.how || f.How != "" {
		args = append(args, string(f.How))
	}
	if t.duration || f.Duration != 0 {
		args = append(args, f.Duration.String())
	}
	if len(args) == 0 {
		return string(f.Kind)
	}
	return string(f.Kind) + "(" + strings.Join(args, ",") + ")"
}

// regionCode is the shape of a Region's code, such as "us-gov-west-1".
var regionCode = regexp.MustCompile(`^[a-z]{2,}(-[a-z]+)+-[0-9]+$`)

// Validate reports everything that is wrong with the fault.
func (f Fault) Validate() error {
	t, ok := takes(f.Kind)
	if !ok {
		return fmt.Errorf("fault: kind %q is not known: use one of %s", f.Kind, list())
	}
	var errs []error
	bad := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("fault: %s: "+format, append([]any{f.Kind}, args...)...))
	}
	region := func(name string, wanted bool, r dr.Region) {
		switch {
		case !wanted && r != "":
			bad("takes no %s, got %q", name, r)
		case wanted && !regionCode.MatchString(string(r)):
			bad("%s is %q: use a Region's code, such as us-east-1", name, r)
		}
	}
	if f.Kind != Dependency || f.Region != Everywhere {
		region("region", t.region, f.Region)
	}
	region("peer", t.peer, f.Peer)
	if t.peer && f.Peer == f.Region {
		bad("region and peer are both %s: name the two ends", f.Region)
	}
	switch {
	case !t.service && f.Service != "":
		bad("takes no service, got %q", f.Service)
	case t.service && !known(f.Service):
		bad("service is %q: use one of %v, or one operation of it, such as dynamodb.UpdateItem", f.Service, Services())
	}
	switch known, lasts := f.How.of(f.Kind); {
	case !t.how && f.How != "":
		bad("takes no way to show, got %q", f.How)
	case t.how && !known:
		bad("way to show is %q: use one of %v", f.How, Hows(f.Kind))
	case t.how:
		t.duration = lasts
	}
	switch {
	case !t.duration && f.Duration != 0:
		bad("takes no duration, got %v", f.Duration)
	case t.duration && f.Duration <= 0:
		bad("duration is %v: use one above zero, such as 5s", f.Duration)
	}
	return errors.Join(errs...)
}

func known(s Service) bool {
	name, _ := s.Split()
	return slices.Contains(Services(), name) && serviceForm.MatchString(string(s))
}

// list names every kind with its arguments.
func list() string {
	var out []string
	for _, k := range kinds {
		var args []string
		if k.takes.region {
			args = append(args, "region")
		}
		if k.takes.peer {
			args = append(args, "peer")
		}
		if k.takes.service {
			args = append(args, "service")
		}
		if k.takes.how {
			var all []string
			for _, h := range hows[k.kind] {
				text := string(h.how)
				if h.duration {
					text += ",duration"
				}
				all = append(all, text)
			}
			args = append(args, strings.Join(all, "|"))
		}
		if k.takes.duration {
			args = append(args, "duration")
		}
		name := string(k.kind)
		if len(args) > 0 {
			name += "(" + strings.Join(args, ",") + ")"
		}
		out = append(out, name)
	}
	return strings.Join(out, ", ")
}

// Parse reads what String prints. Spaces around arguments are allowed.
func Parse(s string) (Fault, error) {
	s = strings.TrimSpace(s)
	name, rest, open := strings.Cut(s, "(")
	f := Fault{Kind: Kind(strings.TrimSpace(name))}
	t, known := takes(f.Kind)
	if !known {
		return Fault{}, fmt.Errorf("fault: parse %q: kind %q is not known: use one of %s", s, f.Kind, list())
	}
	var args []string
	if open {
		inside, closed := strings.CutSuffix(rest, ")")
		if !closed {
			return Fault{}, fmt.Errorf("fault: parse %q: the closing parenthesis is missing or not last", s)
		}
		if strings.TrimSpace(inside) != "" {
			args = strings.Split(inside, ",")
		}
	}
	want := 0
	next := func() string {
		want++
		if want > len(args) {
			return ""
		}
		return strings.TrimSpace(args[want-1])
	}
	if t.region {
		f.Region = dr.Region(next())
	}
	if t.peer {
		f.Peer = dr.Region(next())
	}
	if t.service {
		f.Service = Service(next())
	}
	if t.how {
		f.How = How(next())
		_, t.duration = f.How.of(f.Kind)
	}
	if t.duration {
		text := next()
		d, err := time.ParseDuration(text)
		if err != nil && text != "" {
			return Fault{}, fmt.Errorf("fault: parse %q: duration %q: write it like 5s or 500ms", s, text)
		}
		f.Duration = d
	}
	if len(args) != want {
		return Fault{}, fmt.Errorf("fault: parse %q: %s takes %d arguments, got %d: use one of %s", s, f.Kind, want, len(args), list())
	}
	if err := f.Validate(); err != nil {
		return Fault{}, fmt.Errorf("fault: parse %q: %w", s, err)
	}
	return f, nil
}
