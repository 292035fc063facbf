package mysqld

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
)

// process is a running child. Its exit is awaited from the start.
type process struct {
	cmd    *exec.Cmd
	tail   *tail
	exited chan struct{} // closed after err is set
	err    error
}

// run starts binary with its output copied to out.
func run(binary string, args []string, out io.Writer) (*process, error) {
	p := &process{cmd: exec.Command(binary, args...), tail: &tail{limit: 4 << 10}, exited: make(chan struct{})}
	p.cmd.Stdout = io.MultiWriter(out, p.tail)
	p.cmd.Stderr = p.cmd.Stdout
	// A signal to our process group is not the child's business. Nothing makes
	// it die with us: we are the container's first process, the kernel does.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("mysqld: start %s: %w", binary, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.exited)
	}()
	return p, nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

func (p *process) gone() bool {
	select {
	case <-p.exited:
		return true
	default:
		return false
	}
}

// signal sends sig; a process that is gone is no error.
func (p *process) signal(sig syscall.Signal) error {
	if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("mysqld: send %v: %w", sig, err)
	}
	return nil
}

// kill ends the process, stopped or not, and waits for its end.
func (p *process) kill() error {
	if err := p.signal(syscall.SIGKILL); err != nil {
		return err
	}
	<-p.exited
	return nil
}

// finish waits until the process has ended well; when ctx ends first, it kills it.
func (p *process) finish(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return errors.Join(ctx.Err(), p.kill())
	case <-p.exited:
	}
	if p.err != nil {
		return p.failure()
	}
	return nil
}

// failure says how the process ended, with the last lines of its log.
func (p *process) failure() error {
	return fmt.Errorf("mysqld: process ended: %v; last output:\n%s", p.cmd.ProcessState, p.tail)
}

// tail keeps the last bytes that were written to it.
type tail struct {
	limit int
	mu    sync.Mutex
	buf   bytes.Buffer
}

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf.Write(b)
	if extra := t.buf.Len() - t.limit; extra > 0 {
		t.buf.Next(extra)
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(t.buf.String())
}
