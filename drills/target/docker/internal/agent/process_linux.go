package agent

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/measure"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/clock"
)

// line is what an agent writes to its standard output, one JSON object a line.
type line struct {
	Mark    *measure.Mark `json:"mark,omitempty"`
	Explain *string       `json:"explain,omitempty"`
}

// process is a running agent.
type process struct {
	cmd   *exec.Cmd
	in    io.WriteCloser // questions; its end ends the agent
	ended chan struct{}  // closed when the process has ended and all it wrote is read
}

// keeper owns the agent of a Region and what it has marked.
type keeper struct {
	log io.Writer // the agents' standard error

	mu       sync.Mutex
	cfg      *Config
	current  *process // nil when none runs
	restart  *time.Timer
	marks    []measure.Mark
	status   Status
	explains chan string // has room for one
}

func newKeeper(log io.Writer) *keeper { return &keeper{log: log, explains: make(chan string, 1)} }

var errNotConfigured = errors.New("agent: not configured: call /agent/configure first")

// configure ends the agent, forgets its marks, and keeps what the next one is to know.
func (k *keeper) configure(cfg Config) error {
	if err := cfg.validate(); err != nil {
		return err
	}
	k.kill()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.cfg, k.marks, k.status = &cfg, nil, Status{}
	return nil
}

func (k *keeper) config() (Config, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.cfg == nil {
		return Config{}, errNotConfigured
	}
	return *k.cfg, nil
}

// start starts the agent; one that runs stays.
func (k *keeper) start() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.cfg == nil {
		return errNotConfigured
	}
	if k.restart != nil {
		k.restart.Stop()
		k.restart = nil
	}
	if k.current != nil {
		return nil
	}
	text, err := json.Marshal(k.cfg)
	if err != nil {
		return fmt.Errorf("agent: start: %w", err)
	}
	p := &process{cmd: exec.Command("/proc/self/exe"), ended: make(chan struct{})}
	p.cmd.Args[0] = "agent"
	p.cmd.Env = append(os.Environ(), Variable+"="+string(text))
	p.cmd.Stderr = k.log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("agent: start: %w", err)
	}
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return fmt.Errorf("agent: start: %w", err)
	}
	if err := p.cmd.Start(); err != nil {
		return fmt.Errorf("agent: start: %w", err)
	}
	k.current = p
	k.status.Running, k.status.PID = true, p.cmd.Process.Pid
	k.status.Starts++
	origin := k.cfg.Origin
	go func() {
		defer close(p.ended)
		k.read(out)
		// How it ended is in the state, with or without an error.
		_ = p.cmd.Wait()
		k.mu.Lock()
		defer k.mu.Unlock()
		k.current = nil
		k.status.Running, k.status.PID = false, 0
		k.status.Ended, k.status.Exit = clock.Monotonic()-origin, p.cmd.ProcessState.String()
	}()
	return nil
}

// read collects what an agent writes until it ends.
func (k *keeper) read(out io.Reader) {
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var l line
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			fmt.Fprintf(k.log, "agent: line %q: %v\n", lines.Text(), err)
			continue
		}
		if l.Mark != nil {
			k.mu.Lock()
			k.marks = append(k.marks, *l.Mark)
			k.mu.Unlock()
		}
		if l.Explain != nil {
			select {
			case k.explains <- *l.Explain:
			default: // nobody waited for the one before
			}
		}
	}
	// A process that was killed in mid-line leaves an end that can't be read.
	_, _ = io.Copy(io.Discard, out)
}

// kill ends the agent with SIGKILL, whatever it is doing, and waits for its end.
func (k *keeper) kill() {
	k.mu.Lock()
	p := k.current
	if k.restart != nil {
		k.restart.Stop()
		k.restart = nil
	}
	k.mu.Unlock()
	if p == nil {
		return
	}
	_ = p.cmd.Process.Kill() // the only error is that it has ended
	<-p.ended
}

// killFor kills the agent and starts it again after a while.
func (k *keeper) killFor(away time.Duration) {
	k.kill()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.restart = time.AfterFunc(away, func() {
		if err := k.start(); err != nil {
			fmt.Fprintln(k.log, err)
		}
	})
}

// after returns the marks after the first n.
func (k *keeper) after(n int) (Marks, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if n < 0 || n > len(k.marks) {
		return Marks{}, fmt.Errorf("agent: since is %d: there are %d marks", n, len(k.marks))
	}
	return Marks{Marks: slices.Clone(k.marks[n:]), Next: len(k.marks)}, nil
}

func (k *keeper) state() Status {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.status
}

// ask has the agent explain itself. The answer comes through explains.
func (k *keeper) ask() error {
	k.mu.Lock()
	p := k.current
	k.mu.Unlock()
	if p == nil {
		return errors.New("agent: it does not run")
	}
	select {
	case <-k.explains: // of a question whose asker has gone
	default:
	}
	_, err := io.WriteString(p.in, explainQuestion+"\n")
	return err
}

// explainQuestion is the line that asks an agent to explain itself.
const explainQuestion = "explain"
