package probe

import (
	"context"
	"errors"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// Writes commits heartbeat writes on the database of a Region.
type Writes interface {
	// Write commits one write of a row on the subject's writer, on a connection
	// that is kept or on one made for it.
	Write(ctx context.Context, subject dr.Region, row string, fresh bool) error
}

// SQL asks whether a heartbeat write commits, on a kept and on a fresh connection
// at once: the first sees a server that stops, the second one that takes no new
// clients. It implements health.Prober with one observation for each.
//
// Alive: it commits. Dead: refused, reset, no answer by the deadline, read-only, or an
// answer that nothing is committed for any client (failover.ErrRefusesWrites). Unknown:
// not authenticated, too many connections, a session that was killed, the name does not
// resolve, the question was called off, or anything else.
type SQL struct {
	vantage dr.Region
	writes  Writes
}

var _ health.Prober = (*SQL)(nil)

// NewSQL returns a prober that asks from a Region. Its rows are named after it,
// "REGION/probe" and "REGION/probe/fresh", so that no two vantages wait for each
// other.
func NewSQL(vantage dr.Region, w Writes) (*SQL, error) {
	if vantage == "" || w == nil {
		return nil, errors.New("probe: sql: the vantage and Writes are required")
	}
	return &SQL{vantage, w}, nil
}

// Probe implements health.Prober.
func (p *SQL) Probe(ctx context.Context, subject dr.Region) []health.Observation {
	row := p.vantage.String() + "/probe"
	fresh := make(chan health.Observation, 1)
	go func() { fresh <- p.write(ctx, subject, row+"/fresh", true, "heartbeat write, fresh connection") }()
	kept := p.write(ctx, subject, row, false, "heartbeat write, kept connection")
	return []health.Observation{kept, <-fresh}
}

func (p *SQL) write(ctx context.Context, subject dr.Region, row string, fresh bool, method string) health.Observation {
	o := health.Observation{
		Subject: subject, Vantage: p.vantage, Family: health.SQL, Method: method, At: time.Now(), OtherInstances: -1,
	}
	err := p.writes.Write(ctx, subject, row, fresh)
	o.Latency = time.Since(o.At)
	o.Answer, o.Cause = classify(err)
	// A write that has committed has reached the Region; so has a refusal.
	o.RegionAnswers = o.Answer == health.Alive || answered(err)
	return o
}
