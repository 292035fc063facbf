package probe

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// LagSource returns the RPO lag as the local Region's secondary knows it.
type LagSource interface {
	// Lag returns the newest sample, or nil when there is none. Its At must not be
	// later than the newest change that has arrived, or a fresh sample would pass
	// for a proof that the writer commits.
	Lag(ctx context.Context) (*health.Lag, error)
}

// DefaultSilence is how long nothing may have arrived before replication counts as
// dark. The writer's guard commits a beat every 500 ms, so it is three beats.
const DefaultSilence = 1500 * time.Millisecond

// Replication asks the local Region's secondary what has arrived from the writer. It
// implements health.Prober and brings the RPO lag.
//
// Alive: a change that is younger than the silence has arrived. Dead: none has.
// Unknown: the secondary did not answer, or has never received anything.
type Replication struct {
	vantage dr.Region
	source  LagSource
	silence time.Duration
}

var _ health.Prober = (*Replication)(nil)

// NewReplication returns a prober on the secondary of its own Region. A silence of
// 0 means DefaultSilence; shorter than 1 s would mistake a slow beat for a cut.
func NewReplication(vantage dr.Region, source LagSource, silence time.Duration) (*Replication, error) {
	var errs []error
	if vantage == "" || source == nil {
		errs = append(errs, errors.New("probe: replication: the vantage and a LagSource are required"))
	}
	if silence != 0 && silence < time.Second {
		errs = append(errs, fmt.Errorf("probe: replication: a silence of %v is below 1s: beats come every 500ms", silence))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if silence == 0 {
		silence = DefaultSilence
	}
	return &Replication{vantage, source, silence}, nil
}

// Probe implements health.Prober.
func (p *Replication) Probe(ctx context.Context, subject dr.Region) []health.Observation {
	o := health.Observation{
		Subject: subject, Vantage: p.vantage, Family: health.Replication, Method: "newest change on the secondary", At: time.Now(), OtherInstances: -1,
	}
	lag, err := p.source.Lag(ctx)
	o.Latency, o.Lag = time.Since(o.At), lag
	switch {
	case err != nil:
		o.Lag = nil
		_, o.Cause = classify(err)
	case lag == nil:
		o.Cause = "no change has ever arrived"
	default:
		// From when it was asked: a slow answer is not an old change.
		if age := o.At.Sub(lag.At); age > p.silence {
			o.Answer, o.Cause = health.Dead, fmt.Sprintf("nothing has arrived for %v", age.Round(10*time.Millisecond))
		} else {
			o.Answer = health.Alive
		}
	}
	return []health.Observation{o}
}
