// Package aurora emulates the RDS control plane of one Aurora MySQL global
// database: describing it, failing over, switching over and rebooting.
//
// The semantics are those of the Aurora user guide and the RDS API model. Where
// AWS documents nothing the choice is marked "unconfirmed" at its place.
package aurora

import (
	"context"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/cloud/internal/links"
	"github.com/lifeboat-dr/lifeboat/drills/cloud/internal/wire"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// Servers is what the control plane acts on.
type Servers interface {
	Promote(ctx context.Context, target dr.Region, dataLoss bool) error
	Fence(ctx context.Context, old dr.Region) error
	Rejoin(ctx context.Context, old, writer dr.Region) error
	Reboot(ctx context.Context, r dr.Region) error
}

// Member is one Region's cluster of the global database.
type Member struct {
	Region        dr.Region
	Cluster       string
	Instances     []string // none: headless
	EngineVersion string
}

// Config describes the global database. Every field is required; Members[0]
// is the first writer.
type Config struct {
	Account       string
	GlobalCluster string
	Database      string
	Members       []Member
	Regions       []dr.Region // every Region with an API endpoint
	Links         *links.Links
	Servers       Servers

	Rand       *rand.Rand // used under the service's lock only
	Promotion  func(*rand.Rand) time.Duration
	Switchover func(*rand.Rand) time.Duration
	DNSDelay   func(*rand.Rand) time.Duration

	FenceTimeout   time.Duration
	PromoteTimeout time.Duration
	RejoinTimeout  time.Duration
	RejoinInterval time.Duration
	RebootTimeout  time.Duration
	History        time.Duration
}

// Service is the emulated control plane. It is safe for concurrent use.
type Service struct {
	cfg   Config
	names names
	jobs  chan func(context.Context)

	mu     sync.Mutex
	truth  *state
	views  map[dr.Region][]*state // what each Region's API knows, oldest first
	dns    []record
	events []Event
	ops    []*Operation
}

// New returns a Service whose first member is the writer and whose others are
// connected.
func New(cfg Config) *Service {
	s := &Service{
		cfg:   cfg,
		names: newNames(cfg),
		// Calls only queue work here; Run takes it at once.
		jobs:  make(chan func(context.Context), 64),
		views: map[dr.Region][]*state{},
		dns:   []record{{at: time.Time{}, writer: 0}},
	}
	s.truth = newState(cfg.Members, time.Now())
	for _, r := range cfg.Regions {
		s.views[r] = []*state{s.truth}
	}
	return s
}

// Run carries out accepted operations until ctx ends, then waits for them.
func (s *Service) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		select {
		case <-ctx.Done():
			return nil
		case job := <-s.jobs:
			wg.Go(func() { job(ctx) })
		}
	}
}

// start queues background work.
func (s *Service) start(job func(context.Context)) error {
	select {
	case s.jobs <- job:
		return nil
	default:
		return wire.Refuse(500, "InternalFailure", "lifeboat's drills/cloud is not running: call (*Cloud).Run")
	}
}

// Serve answers one call.
func (s *Service) Serve(_ context.Context, call wire.Call) ([]byte, error) {
	handler := s.handler(call.Operation)
	if handler == nil {
		return nil, wire.NotEmulated("rds", "operation "+call.Operation)
	}
	form, err := wire.ParseForm(call.Body)
	if err != nil {
		return nil, err
	}
	if v, _ := form.Get("Version"); v != "2014-10-31" {
		return nil, wire.Refuse(400, "NoSuchVersion", "The requested version (%s) of service AmazonRDS does not exist", v)
	}
	x := wire.NewXML(2048)
	x.OpenNS(call.Operation+"Response", "http://rds.amazonaws.com/doc/2014-10-31/")
	x.Open(call.Operation + "Result")
	if err := handler(call, form, x); err != nil {
		return nil, err
	}
	x.Close(call.Operation + "Result")
	x.Close(call.Operation + "Response")
	return x.Bytes(), nil
}

func (s *Service) handler(operation string) func(wire.Call, *wire.Form, *wire.XML) error {
	switch operation {
	case "DescribeGlobalClusters":
		return s.describeGlobalClusters
	case "DescribeDBClusters":
		return s.describeClusters
	case "DescribeDBInstances":
		return s.describeInstances
	case "FailoverGlobalCluster":
		return s.failoverCall
	case "SwitchoverGlobalCluster":
		return s.switchoverCall
	case "RebootDBInstance":
		return s.rebootCall
	}
	return nil
}

// member finds a member by its ARN.
func (s *Service) member(arn string) (int, bool) {
	for i, m := range s.names.members {
		if strings.EqualFold(arn, m.arn) {
			return i, true
		}
	}
	return 0, false
}
