package conformance_test

import (
	"context"
	"fmt"
	"net"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/cloud"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/aurora"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/probe"
)

// foreign is a Region that no prober was told of.
const foreign dr.Region = "eu-central-1"

func TestControlProber(t *testing.T) {
	for vantage, family := range map[dr.Region]health.Family{west: health.Control, witness: health.Witness} {
		t.Run(vantage.String(), func(t *testing.T) {
			drtest.TestProber(t, func(t *testing.T) drtest.Probed {
				w := start(t)
				p, err := aurora.NewControl(aurora.ControlConfig{
					Vantage: vantage, Family: family, Members: map[dr.Region]string{east: globalCluster + "-us-east-1", west: globalCluster + "-us-west-2"},
					Clients: func(at dr.Region) aurora.MemberAPI { return aurora.NewClient(config(), at, "", w.From(vantage)) },
				})
				require.NoError(t, err)
				rds := cloud.On(east, cloud.RDS, "*")
				fails := func(f cloud.Fault) func() { return func() { w.SetFault(f) } }
				return drtest.Probed{
					Prober: p, Vantage: vantage, Subject: east, Foreign: foreign,
					Silence: fails(rds.Hang()),
					Unasked: map[string]func(){"throttled": fails(rds.Throttle()), "denied": fails(rds.Deny())},
				}
			})
		})
	}
}

// writes commits the probes of package probe on the servers in memory, which speak no
// protocol. What a socket would say of them stands for it.
type writes struct {
	w   *world
	err error // instead of a call
}

func (p *writes) Write(ctx context.Context, subject dr.Region, _ string, _ bool) error {
	db := p.w.pair.DB(subject)
	switch {
	case p.err != nil:
		return p.err
	case db == nil:
		return fmt.Errorf("no database of %s is known: %w", subject, health.ErrNotAsked)
	}
	return p.w.net.Dial(west, db).Probe(ctx)
}

func TestSQLProber(t *testing.T) {
	drtest.TestProber(t, func(t *testing.T) drtest.Probed {
		p := &writes{w: start(t)}
		prober, err := probe.NewSQL(west, p)
		require.NoError(t, err)
		fails := func(err error) func() { return func() { p.err = err } }
		return drtest.Probed{
			Prober: prober, Vantage: west, Subject: east, Foreign: foreign,
			Silence: func() { p.w.pair.DB(east).Freeze() },
			Unasked: map[string]func(){
				"no login is known":        fails(fmt.Errorf("the secret: %w: %w", health.ErrNotAsked, context.DeadlineExceeded)),
				"the name is not resolved": fails(&net.OpError{Op: "dial", Err: &net.DNSError{Name: "db", IsTimeout: true}}),
				"no descriptors are left":  fails(&net.OpError{Op: "dial", Err: syscall.EMFILE}),
			},
		}
	})
}

// young commits a change on the writer before each question.
type young struct {
	health.Prober
	writer *drtest.Database
	last   int64
}

func (y *young) Probe(ctx context.Context, subject dr.Region) []health.Observation {
	y.last++
	_ = y.writer.Write(context.WithoutCancel(ctx), y.last) // a closed writer shows in the answer
	return y.Prober.Probe(ctx, subject)
}

func TestReplicationProber(t *testing.T) {
	drtest.TestProber(t, func(t *testing.T) drtest.Probed {
		w := start(t)
		p, err := probe.NewReplication(west, w.net.Dial(west, w.pair.DB(west)), 0)
		require.NoError(t, err)
		return drtest.Probed{Prober: &young{p, w.pair.DB(east), 0}, Vantage: west, Subject: east, Silence: func() { w.pair.DB(west).Freeze() }}
	})
}

func TestTCPProber(t *testing.T) {
	drtest.TestProber(t, func(t *testing.T) drtest.Probed {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, l.Close()) }) // the kernel's backlog connects
		var fails error
		hangs := false
		p, err := probe.NewTCP(probe.TCPConfig{
			Vantage: witness, Family: health.Witness, Addresses: map[dr.Region]string{east: l.Addr().String()},
			Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
				switch {
				case hangs:
					<-ctx.Done()
					return nil, ctx.Err()
				case fails != nil:
					return nil, fails
				}
				return (&net.Dialer{}).DialContext(ctx, network, addr)
			},
		})
		require.NoError(t, err)
		return drtest.Probed{
			Prober: p, Vantage: witness, Subject: east, Foreign: foreign,
			Silence: func() { hangs = true },
			Unasked: map[string]func(){"the name is not resolved": func() { fails = &net.DNSError{Name: "db", IsNotFound: true} }},
		}
	})
}
