package drtest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// freshChange is how old the newest change may be for the stream to count as alive.
const freshChange = 1500 * time.Millisecond

// Prober asks about a Region's database from another Region: a member asks for a
// write and for what has arrived in its own database, a witness whether the
// server's host answers.
type Prober struct {
	net   *Network
	pair  *Pair
	from  dr.Region
	spare int
}

var _ health.Prober = (*Prober)(nil)

// NewProber returns the prober of a Region. spare is how many instances besides
// the writer every member is said to have.
func NewProber(net *Network, pair *Pair, from dr.Region, spare int) *Prober {
	return &Prober{net, pair, from, spare}
}

// Probe implements health.Prober.
func (p *Prober) Probe(ctx context.Context, subject dr.Region) []health.Observation {
	if p.pair.DB(subject) == nil {
		return []health.Observation{{
			Subject: subject, Vantage: p.from, Family: health.Witness, Method: "connect", At: time.Now(), OtherInstances: -1,
			Cause: "no database of " + subject.String() + " is known",
		}}
	}
	if p.pair.DB(p.from) == nil {
		return []health.Observation{p.ask(ctx, subject, health.Witness, "connect")}
	}
	out := make(chan health.Observation, 2)
	go func() { out <- p.ask(ctx, subject, health.SQL, "heartbeat write") }()
	go func() { out <- p.stream(ctx, subject) }()
	return []health.Observation{<-out, <-out}
}

// ask is answered by a server that commits. A refusal proves that its host lives, and an
// answer about the one who asks proves nothing more.
func (p *Prober) ask(ctx context.Context, subject dr.Region, f health.Family, method string) health.Observation {
	o := health.Observation{Subject: subject, Vantage: p.from, Family: f, Method: method, Answer: health.Alive, OtherInstances: -1}
	begun := time.Now()
	err := p.net.Dial(p.from, p.pair.DB(subject)).Probe(ctx)
	o.At, o.Latency, o.RegionAnswers = time.Now(), time.Since(begun), true
	reply := failover.ReplyOf(err)
	switch {
	case reply == failover.ReplyNotAsked, errors.Is(err, context.Canceled):
		o.Answer, o.Cause, o.RegionAnswers = health.Unknown, err.Error(), false
	case reply == failover.ReplyAnswered:
		o.Answer, o.Cause = health.Unknown, err.Error()
	case reply == failover.ReplyRefusesWrites:
		o.Answer, o.Cause = health.Dead, err.Error()
	case errors.Is(err, ErrDown), errors.Is(err, failover.ErrReadOnly):
		o.Answer, o.Cause, o.OtherInstances = health.Dead, err.Error(), p.spare
	case err != nil:
		o.Answer, o.Cause, o.RegionAnswers = health.Dead, err.Error(), false
	}
	if f == health.Witness && o.RegionAnswers {
		o.Answer, o.Cause = health.Alive, ""
	}
	return o
}

func (p *Prober) stream(ctx context.Context, subject dr.Region) health.Observation {
	o := health.Observation{Subject: subject, Vantage: p.from, Family: health.Replication, Method: "newest change", OtherInstances: -1}
	lag, err := p.net.Dial(p.from, p.pair.DB(p.from)).Lag(ctx)
	o.At = time.Now()
	switch {
	case err != nil:
		o.Cause = err.Error()
	case lag == nil:
		o.Cause = "nothing has arrived"
	case o.At.Sub(lag.At) > freshChange:
		o.Answer, o.Lag, o.Cause = health.Dead, lag, fmt.Sprintf("nothing for %v", o.At.Sub(lag.At).Round(time.Millisecond))
	default:
		o.Answer, o.Lag = health.Alive, lag
	}
	return o
}
