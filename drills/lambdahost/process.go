package lambdahost

import (
	"bytes"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// process is a running bootstrap with whatever it has started: the leader of a
// process group.
type process struct {
	pid int
	how error // why it ended, nil for exit status 0; valid from onExit on

	mu     sync.Mutex
	reaped bool
}

// startProcess starts a command and owns it to its end. onExit is called once,
// when it has been reaped, and is the last that happens. It isn't called when
// there is an error.
func startProcess(cmd *exec.Cmd, onExit func(maxRSS int64)) (*process, error) {
	cmd.SysProcAttr = processAttributes()
	// A grandchild that was left with the pipes can't hold up Wait.
	cmd.WaitDelay = time.Second
	p := &process{}
	started := make(chan error)
	go func() {
		// The signal that takes the process along when this one dies is sent when
		// the thread ends that has started it (prctl(2), golang/go#27505). Holding
		// the thread until then makes it mean what it says.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if err := cmd.Start(); err != nil {
			started <- err
			return
		}
		p.pid = cmd.Process.Pid
		started <- nil
		_ = cmd.Wait() // the state says more
		p.mu.Lock()
		p.reaped = true
		p.mu.Unlock()
		// What it has started itself goes with it, as with the sandbox.
		_ = syscall.Kill(-p.pid, syscall.SIGKILL)
		if state := cmd.ProcessState; !state.Success() {
			p.how = exitError(state.String())
		}
		onExit(maxRSS(cmd.ProcessState))
	}()
	return p, <-started
}

// exitError is how a process ended, in the words of os.ProcessState, which are
// Lambda's too: exit status 1, signal: killed.
type exitError string

func (e exitError) Error() string { return string(e) }

// signal reaches the whole group, unless the process is gone.
func (p *process) signal(s syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.reaped {
		_ = syscall.Kill(-p.pid, s) // ESRCH: it has just ended, which is noticed elsewhere
	}
}

// maxLine is where a line without an end is cut, as long as an event of
// CloudWatch Logs may be.
const maxLine = 256 << 10

// lines cuts what a process writes into lines.
type lines struct {
	emit func(line string)
	rest []byte
}

// Write implements io.Writer.
func (l *lines) Write(b []byte) (int, error) {
	n := len(b)
	for len(b) > 0 {
		end := bytes.IndexByte(b, '\n')
		if end < 0 {
			l.rest = append(l.rest, b...)
			if len(l.rest) >= maxLine {
				l.flush()
			}
			break
		}
		l.rest = append(l.rest, b[:end]...)
		l.emit(string(bytes.TrimSuffix(l.rest, []byte("\r"))))
		l.rest, b = l.rest[:0], b[end+1:]
	}
	return n, nil
}

// flush emits a last line that has no end.
func (l *lines) flush() {
	if len(l.rest) > 0 {
		l.emit(string(l.rest))
		l.rest = l.rest[:0]
	}
}
