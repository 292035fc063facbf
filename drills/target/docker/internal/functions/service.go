package functions

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/drill"
	"github.com/lifeboat-dr/lifeboat/drills/lambdahost"
	"github.com/lifeboat-dr/lifeboat/drills/measure"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/clock"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// service is the Lambda service of a Region for the length of a drill.
type service struct {
	cfg   Config
	log   *slog.Logger
	host  *lambdahost.Host
	trace map[string]*dr.Trace // by function, makes marks

	ctx  context.Context // of all that close ends
	stop context.CancelFunc
	work sync.WaitGroup

	mu     sync.Mutex
	ticks  bool // the schedule runs
	marks  []measure.Mark
	status Status
	steps  int // faults that have the trigger killed after every step
	twice  int // faults that have the trigger's invocations carried out twice
	// struck are the triggers that are being killed, and after which step, working the
	// functions' environments that have an invocation.
	struck  map[string]string
	working map[string]map[string]bool
}

// open returns a service whose API answers. No function runs before start.
func open(cfg Config, log *slog.Logger) (*service, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("functions: listen for the Invoke API: %w", err)
	}
	s := &service{cfg: cfg, log: log, status: Status{}, trace: map[string]*dr.Trace{}, struck: map[string]string{}, working: map[string]map[string]bool{}}
	deployed, err := cfg.functions("http://" + listener.Addr().String())
	if err == nil {
		s.host, err = lambdahost.New(lambdahost.Config{
			Functions: deployed, Observe: s.observe, DeadLetter: s.bury,
		})
	}
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	for _, name := range cfg.deployed() {
		s.trace[name] = drill.MarkTrace(cfg.Region, s.now, func(m measure.Mark) { s.add(by(name, m)) })
	}
	s.ctx, s.stop = context.WithCancel(context.Background())
	api := &http.Server{Handler: s.invokeAPI()}
	s.work.Go(func() {
		_ = api.Serve(listener) // until it is closed
	})
	s.work.Go(func() {
		<-s.ctx.Done()
		_ = api.Close()
	})
	return s, nil
}

// by names the source of a mark. What the trigger sees for itself is told apart from
// what the monitor has seen before.
func by(function string, m measure.Mark) measure.Mark {
	if rest, own := strings.CutPrefix(m.Source, "monitor "); own && function == Trigger {
		m.Source = "trigger " + rest
	}
	return m
}

// now is the run's clock.
func (s *service) now() time.Duration { return time.Duration(clock.Monotonic() - s.cfg.Origin) }

func (s *service) add(m measure.Mark) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.marks = append(s.marks, m)
}

// note marks what happens to a process.
func (s *service) note(name, detail string) {
	s.add(measure.Mark{At: s.now(), Source: NotedBy(s.cfg.Region), Name: name, Region: s.cfg.Region, Detail: detail})
}

// start begins the schedule, with a tick at once as EventBridge does. A schedule that
// runs stays.
func (s *service) start() error {
	s.mu.Lock()
	running := s.ticks
	s.ticks = true
	s.mu.Unlock()
	if running {
		return nil
	}
	monitor := s.cfg.name(Monitor)
	schedule := lambdahost.Schedule{Function: monitor, Every: s.cfg.Every, Seed: s.cfg.Seed}
	clockwork, err := lambdahost.NewScheduler(s.host, func(_ lambdahost.Schedule, _ lambdahost.Tick, err error) {
		s.log.Warn("a tick was given up", "err", err)
	}, schedule)
	if err != nil {
		return err
	}
	if err := s.tick(); err != nil {
		return err
	}
	s.work.Go(func() {
		// The schedule counts its first period from here.
		wait := time.NewTimer(s.cfg.Every)
		defer wait.Stop()
		select {
		case <-s.ctx.Done():
		case <-wait.C:
			clockwork.Run(s.ctx)
		}
	})
	return nil
}

// tick delivers one tick.
func (s *service) tick() error {
	_, err := s.host.Invoke(s.ctx, s.cfg.name(Monitor), []byte(`{"source":"aws.events","detail-type":"Scheduled Event"}`), lambdahost.Async)
	return err
}

// close ends every process and returns when nothing of the service is left.
func (s *service) close() {
	s.mu.Lock()
	s.stop() // no work is added after it
	s.mu.Unlock()
	s.host.Close()
	s.work.Wait()
}

// function returns which function goes by a deployed name.
func (s *service) function(name string) string {
	return strings.TrimPrefix(name, s.cfg.Topology.GlobalCluster+"-")
}

// observe is told everything that happens in the host, while it happens.
func (s *service) observe(e lambdahost.Event) {
	name := s.function(e.Function)
	switch e.Kind {
	case lambdahost.Logged:
		s.read(name, e)
	case lambdahost.Started:
		s.edit(name, func(st *FunctionStatus) { st.Running++; st.Starts++ })
		s.note(NoteStarted, name+": "+e.Took.String())
	case lambdahost.Invoked:
		s.begun(name, e.Environment)
	case lambdahost.Frozen:
		s.done(name, e.Environment)
	case lambdahost.Exited:
		at := int64(s.now())
		s.edit(name, func(st *FunctionStatus) { st.Running--; st.Ended, st.Exit = at, e.Text })
		s.note(NoteEnded, name+": "+e.Text)
		s.done(name, e.Environment)
		s.fell(name, e)
	case lambdahost.Lost:
		s.note(NoteLost, name+": "+e.Text)
	case lambdahost.Duplicated:
		s.note(NoteDuplicated, name)
	case lambdahost.Refused:
		s.note(NoteRefused, name)
	case lambdahost.InitFailed, lambdahost.TimedOut, lambdahost.DeadLettered:
		s.log.Warn("lambda", "event", e.String())
	case lambdahost.Finished:
		if e.Text != "" {
			s.log.Warn("lambda", "event", e.String())
		}
	}
}

func (s *service) bury(d lambdahost.DeadLetter) {
	s.note("lambda.dead-letter", fmt.Sprintf("%s: %s", s.function(d.Function), d.Condition))
}

// read takes a line that a function has written.
func (s *service) read(function string, logged lambdahost.Event) {
	e, ok := readEvent(logged.Text)
	if !ok {
		s.log.Info(logged.Text, "lambda", function)
		return
	}
	e.tell(s.trace[function])
	if function == Trigger && e.StateChanges != nil {
		s.stepped(logged.Environment, e.State)
	}
}

func (s *service) edit(function string, f func(*FunctionStatus)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.status[function]
	f(&st)
	s.status[function] = st
}

// state returns what the functions are doing.
func (s *service) state() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := Status{}
	for name, st := range s.status {
		out[name] = st
	}
	return out
}

// after returns the marks after the first n.
func (s *service) after(n int) (Marks, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n < 0 || n > len(s.marks) {
		return Marks{}, fmt.Errorf("functions: since is %d: there are %d marks", n, len(s.marks))
	}
	return Marks{Marks: slices.Clone(s.marks[n:]), Next: len(s.marks)}, nil
}
