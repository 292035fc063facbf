package mysqld

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"syscall"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/clock"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/netfault"
)

// RebootName is the name of the cut that holds while a server is rebooted.
const RebootName = "reboot"

// Cutter cuts and heals the server's network.
type Cutter interface {
	Cut(name string, cuts ...netfault.Cut) error
	Heal(name string) error
}

// Server is one supervised MySQL server. Make it with New and give it life with Run.
type Server struct {
	cfg     Config
	network Cutter
	out     io.Writer // the server's log
	log     *slog.Logger
	restart chan struct{} // has room for one: Run shall start the server

	// turn is held through a start, a reset or a restart, one at a time. Kill,
	// freeze, thaw and reboot don't wait for it: they hit a starting server too.
	turn chan struct{}

	mu            sync.Mutex
	proc          *process // nil before the first start
	state         State
	hostFrozen    bool
	rebootPending bool
	failure       error
}

// New returns a Server whose log goes to out.
func New(cfg Config, network Cutter, out io.Writer, log *slog.Logger) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return &Server{
		cfg: cfg.withDefaults(), network: network, out: out, log: log,
		restart: make(chan struct{}, 1), turn: make(chan struct{}, 1), state: Preparing,
	}, nil
}

// Prepare makes the data directory. Call it once, before anything else.
func (s *Server) Prepare(ctx context.Context) error {
	if err := s.bootstrap(ctx); err != nil {
		return err
	}
	if err := s.restore(); err != nil {
		return err
	}
	s.set(Stopped)
	return nil
}

// Run restarts the server after reboots until ctx ends; then it kills the server.
func (s *Server) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return s.Kill()
		case <-s.restart:
			err := s.Start(ctx)
			if err == nil {
				err = s.network.Heal(RebootName)
			}
			if err != nil && ctx.Err() == nil {
				s.log.Error("restart", "err", err)
			}
		}
	}
}

// Start starts the server, if it doesn't run, and waits until it answers.
func (s *Server) Start(ctx context.Context) error {
	if err := s.take(ctx); err != nil {
		return err
	}
	defer s.yield()
	return s.start(ctx)
}

// Kill sends SIGKILL and waits for the end of the process. Its peers see their
// connections reset, as when a process dies on a living host.
func (s *Server) Kill() error {
	p := s.process()
	if p == nil {
		return nil
	}
	if err := p.kill(); err != nil {
		return err
	}
	s.edit(func() { s.hostFrozen, s.rebootPending = false, false })
	return nil
}

// Freeze sends SIGSTOP: connections stay, the kernel still accepts new ones,
// nothing answers. With host it stands for a frozen host: see Reboot.
func (s *Server) Freeze(host bool) error {
	p := s.process()
	if p == nil || p.gone() {
		return errors.New("mysqld: freeze: the server does not run")
	}
	if err := p.signal(syscall.SIGSTOP); err != nil {
		return err
	}
	s.edit(func() { s.state, s.hostFrozen = Frozen, host })
	return nil
}

// Thaw sends SIGCONT, or, when a reboot is pending, kills the server unthawed
// and restarts it.
func (s *Server) Thaw() error {
	s.mu.Lock()
	p, pending := s.proc, s.rebootPending
	s.mu.Unlock()
	if p == nil || p.gone() {
		return errors.New("mysqld: thaw: the server does not run")
	}
	if pending {
		return s.reboot(p)
	}
	s.edit(func() {
		s.hostFrozen = false
		if s.state == Frozen {
			s.state = Running
		}
	})
	return p.signal(syscall.SIGCONT)
}

// Reboot makes sure that the server acknowledges nothing more, and restarts it
// read-only. First its port is cut, then it is killed, frozen or not; when the
// new process answers, the port is open again. What the old one had not sent
// is dropped by the cut. Reboot returns when the old process is gone.
//
// A server on a frozen host can't be killed from outside: it stays cut, and
// Thaw does the rest.
func (s *Server) Reboot() error {
	if err := s.network.Cut(RebootName, netfault.Cut{Mode: netfault.Port, Port: Port}); err != nil {
		return err
	}
	s.mu.Lock()
	p := s.proc
	if s.hostFrozen {
		s.rebootPending = true
		s.mu.Unlock()
		return nil
	}
	s.mu.Unlock()
	return s.reboot(p)
}

func (s *Server) reboot(p *process) error {
	if p != nil {
		if err := p.kill(); err != nil {
			return err
		}
	}
	s.edit(func() { s.hostFrozen, s.rebootPending = false, false })
	select {
	case s.restart <- struct{}{}:
	default:
	}
	return nil
}

// Reset kills the server, restores the pristine data and starts it again, read-only.
func (s *Server) Reset(ctx context.Context) error {
	if err := s.take(ctx); err != nil {
		return err
	}
	defer s.yield()
	if err := s.Kill(); err != nil {
		return err
	}
	if err := s.restore(); err != nil {
		return err
	}
	if err := s.network.Heal(RebootName); err != nil {
		return err
	}
	return s.start(ctx)
}

// Status says what the server is doing.
func (s *Server) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := Status{State: s.state, HostFrozen: s.hostFrozen, RebootPending: s.rebootPending, At: clock.Monotonic()}
	switch {
	case s.proc == nil:
	case s.proc.gone():
		st.State = Stopped
	default:
		st.PID = s.proc.pid()
	}
	if s.failure != nil {
		st.Error = s.failure.Error()
	}
	return st
}

func (s *Server) start(ctx context.Context) error {
	if p := s.process(); p != nil && !p.gone() {
		return nil
	}
	p, err := run(s.cfg.Binary, s.cfg.serverOptions(), s.out)
	if err != nil {
		s.edit(func() { s.failure = err })
		return err
	}
	s.edit(func() { s.proc, s.state, s.failure = p, Starting, nil })
	if err := s.answers(ctx, p); err != nil {
		s.edit(func() { s.failure = err })
		return err
	}
	s.edit(func() {
		if s.proc == p && s.state == Starting {
			s.state = Running
		}
	})
	return nil
}

// answers waits until the server answers on its socket.
func (s *Server) answers(ctx context.Context, p *process) error {
	const interval = 20 * time.Millisecond
	for {
		attempt, cancel := context.WithTimeout(ctx, time.Second)
		err := s.Exec(attempt, "DO 0")
		cancel()
		if err == nil {
			return nil
		}
		select {
		case <-p.exited:
			return p.failure()
		case <-ctx.Done():
			return fmt.Errorf("mysqld: wait for the server: %w; last try: %w", ctx.Err(), err)
		case <-time.After(interval):
		}
	}
}

func (s *Server) take(ctx context.Context) error {
	select {
	case s.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("mysqld: wait for a start that is under way: %w", ctx.Err())
	}
}

func (s *Server) yield() { <-s.turn }

func (s *Server) process() *process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.proc
}

func (s *Server) set(st State) { s.edit(func() { s.state = st }) }

func (s *Server) edit(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}
