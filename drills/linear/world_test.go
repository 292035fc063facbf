package linear_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/cloud"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/dynamo"
)

const (
	east    dr.Region = "us-east-1"
	west    dr.Region = "us-west-2"
	witness dr.Region = "us-east-2"

	table   = "lifeboat-lease"
	cluster = "lifeboat"
)

// servers: nothing here fails over.
type servers struct{}

func (servers) Promote(context.Context, dr.Region, bool) error     { return nil }
func (servers) Fence(context.Context, dr.Region) error             { return nil }
func (servers) Rejoin(context.Context, dr.Region, dr.Region) error { return nil }
func (servers) Reboot(context.Context, dr.Region) error            { return nil }

func config() aws.Config {
	return aws.Config{Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "example"}, nil
	})}
}

// process is one client of the table: a process in a Region, with its own adapter and
// its own clock.
type process struct {
	id     int
	region dr.Region
	store  *dynamo.Store
	plain  dynamo.Client // without the adapter
	rnd    *rand.Rand
	rate   float64 // of its clock: how fast its deadlines and pauses pass
	h      *history
	tally  *tally
}

// reads reports whether the process has no right to write: the witness's.
func (p *process) reads() bool { return p.region == witness }

// call runs f as one call of the history, with a deadline by the process's own clock.
func (p *process) call(f func(context.Context, *call)) {
	ctx, cancel := context.WithTimeout(context.WithValue(context.Background(), historyKey{}, p.h), p.own(time.Duration(100+p.rnd.IntN(1400))*time.Millisecond))
	defer cancel()
	ctx, c := p.h.begin(ctx)
	f(ctx, c)
}

func (p *process) own(d time.Duration) time.Duration { return time.Duration(float64(d) * p.rate) }

// record lets five processes use a subject while the weather is bad, and again when it
// is fine, and returns what they did. It must run in a bubble.
func record(t *testing.T, s subject, b bug, seed uint64, count *tally) *history {
	tables := []cloud.Table{{Name: table, PartitionKey: "pk", SortKey: "sk"}}
	for _, r := range []dr.Region{east, west} {
		tables = append(tables, cloud.Table{Name: ownTable(r), PartitionKey: "pk", SortKey: "sk"})
	}
	c, err := cloud.New(cloud.Config{GlobalCluster: cluster, Servers: servers{}, Tables: tables})
	require.NoError(t, err)

	h := &history{lanes: 5}
	var late sync.WaitGroup
	var processes []*process
	for i, r := range []dr.Region{east, east, west, west, witness} {
		rnd := rand.New(rand.NewPCG(seed, uint64(i+1)))
		p := &process{id: i, region: r, rnd: rnd, rate: 0.5 + 1.5*rnd.Float64(), h: h, tally: count}
		offset, rate, began := time.Duration(rnd.IntN(48)-24)*time.Hour, 0.5+rnd.Float64(), time.Now()
		cfg := dynamo.Config{Region: r, Table: table, Cluster: cluster}
		replicas := []dr.Region{east, west}
		if r == west {
			replicas = []dr.Region{west, east}
		}
		for _, at := range replicas {
			w := wire{
				Client: dynamo.NewClient(config(), at, "", c.From(r)), rnd: &dice{rnd: rand.New(rand.NewPCG(seed, uint64(i+1)<<8|uint64(len(cfg.Clients))))}, late: &late, tally: count, fail: t.Errorf,
				wrong: func(now time.Time) time.Time {
					return now.Add(offset + time.Duration(rate*float64(now.Sub(began))))
				},
			}
			cfg.Clients = append(cfg.Clients, b.wrap(w, at))
		}
		p.plain = cfg.Clients[0]
		p.store, err = dynamo.New(cfg)
		require.NoError(t, err)
		processes = append(processes, p)
	}

	ctx, cancel := context.WithCancel(context.Background())
	var background sync.WaitGroup
	if b.background != nil {
		background.Go(func() { b.background(ctx, c) })
	}
	calm := make(chan struct{})
	var clouds sync.WaitGroup
	clouds.Go(func() { weather(c, rand.New(rand.NewPCG(seed, 0)), calm) })

	work := func(steps int) {
		var wg sync.WaitGroup
		for _, p := range processes {
			wg.Go(func() {
				use := s.use(p)
				for range steps {
					use()
					<-time.After(p.own(time.Duration(p.rnd.IntN(80)) * time.Millisecond))
				}
			})
		}
		wg.Wait()
	}
	work(9)
	close(calm)
	clouds.Wait()
	work(2)
	cancel()
	background.Wait()
	late.Wait()
	return h
}

// weather cuts links and sets faults until calm, and then heals everything.
func weather(c *cloud.Cloud, rnd *rand.Rand, calm <-chan struct{}) {
	pairs := [][2]dr.Region{{east, west}, {east, witness}, {west, witness}}
	var clears []func()
	for {
		select {
		case <-calm:
			for _, clear := range clears {
				clear()
			}
			for _, p := range pairs {
				c.SetLink(p[0], p[1], true)
			}
			return
		case <-time.After(time.Duration(10+rnd.IntN(250)) * time.Millisecond):
		}
		switch p := pairs[rnd.IntN(len(pairs))]; rnd.IntN(4) {
		case 0:
			c.SetLink(p[0], p[1], rnd.IntN(2) == 0)
		case 1:
			c.SetLink(p[0], p[1], true)
		case 2:
			if len(clears) > 0 {
				clears[0]()
				clears = clears[1:]
			}
		default:
			region := []dr.Region{east, west, ""}[rnd.IntN(3)]
			on := cloud.On(region, cloud.DynamoDB, []string{"GetItem", "PutItem", "UpdateItem", "Query", "*"}[rnd.IntN(5)])
			delay := time.Duration(rnd.IntN(600)) * time.Millisecond
			fault := []cloud.Fault{on.Lose(), on.Lose(), on.Throttle(), on.Hang(), on.Refuse(), on.Fail(500), on.Fail(503), on.Delay(delay)}[rnd.IntN(8)]
			clears = append(clears, c.SetFault(fault))
			if len(clears) > 2 {
				clears[0]()
				clears = clears[1:]
			}
		}
	}
}
