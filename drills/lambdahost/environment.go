package lambdahost

import (
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// How long a process has between SIGTERM and SIGKILL [EXT]. Without an
// extension it gets no SIGTERM.
const (
	graceInternal = 500 * time.Millisecond
	graceExternal = 300 * time.Millisecond
)

// environment is one execution environment: a process and the Runtime API that
// it alone talks to. It handles one invocation at a time.
type environment struct {
	id      string
	fn      Function
	emit    func(Event)
	proc    *process
	address string
	server  *http.Server
	conns   sync.WaitGroup
	work    chan *invocation // to the process's open question
	ready   chan struct{}    // closed by its first question
	refused chan struct{}    // closed by init/error
	dying   chan struct{}    // closed when the process has ended
	gone    chan struct{}    // closed when process, port and connections are no more

	mu        sync.Mutex
	asked     bool // has come to its first question
	polling   bool // a question is open
	current   *invocation
	latest    string // request id of the invocation that was handed over last
	initError []byte
	extension bool
}

// newEnvironment starts a process for an invocation that has waited since asked. onGone is
// called when nothing of it is left; it isn't when there is an error.
func newEnvironment(fn Function, asked time.Time, emit func(Event), onGone func(*environment)) (*environment, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("lambdahost: start %s: listen for its Runtime API: %w", fn.Name, err)
	}
	e := &environment{
		id: newID(), fn: fn, address: listener.Addr().String(),
		work: make(chan *invocation), ready: make(chan struct{}), refused: make(chan struct{}),
		dying: make(chan struct{}), gone: make(chan struct{}),
	}
	e.emit = func(ev Event) {
		ev.Function, ev.Environment = fn.Name, e.id
		emit(ev)
	}
	e.server = &http.Server{Handler: e.runtimeAPI(), ConnState: e.count}
	serving := make(chan struct{})
	go func() {
		defer close(serving)
		_ = e.server.Serve(listener) // ErrServerClosed: shut ends it
	}()
	shut := func() {
		close(e.dying)
		_ = e.server.Close() // returns after the last accept, so conns grows no more
		<-serving
		e.conns.Wait()
	}

	log := &lines{emit: func(line string) { e.emit(Event{Kind: Logged, RequestID: e.latestID(), Text: line}) }}
	binary, err := filepath.Abs(fn.Binary)
	if err != nil {
		shut()
		return nil, fmt.Errorf("lambdahost: start %s: %w", fn.Name, err)
	}
	cmd := exec.Command(binary)
	cmd.Dir = filepath.Dir(binary)
	cmd.Env = fn.environ(e.address, time.Now().UTC().Format("2006/01/02/")+"[$LATEST]"+e.id)
	cmd.Stdout, cmd.Stderr = log, log // one pipe: lines keep their order
	announced := make(chan struct{})
	e.proc, err = startProcess(cmd, func(rss int64) {
		<-announced
		log.flush()
		shut()
		text := "exit status 0"
		if e.proc.how != nil {
			text = e.proc.how.Error()
		}
		e.emit(Event{Kind: Exited, PID: e.proc.pid, RequestID: e.requestID(), Text: text, MaxRSS: rss})
		close(e.gone)
		onGone(e)
	})
	if err != nil {
		shut()
		return nil, fmt.Errorf("lambdahost: start %s: %w", fn.Name, err)
	}
	e.emit(Event{Kind: Started, PID: e.proc.pid, Address: e.address, Took: time.Since(asked)})
	close(announced)
	return e, nil
}

// count keeps account of the Runtime API's connections, so that the end can wait
// for them.
func (e *environment) count(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		e.conns.Add(1)
	case http.StateClosed, http.StateHijacked:
		e.conns.Done()
	}
}

// latestID is what a line belongs to that is read from the process now: it may
// have been written before the answer. A frozen process writes nothing.
func (e *environment) latestID() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.latest
}

// requestID is what the environment works on.
func (e *environment) requestID() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.current == nil {
		return ""
	}
	return e.current.id
}

// ended says that the process is no more, even if some of the rest still is.
func (e *environment) ended() bool {
	select {
	case <-e.dying:
		return true
	default:
		return false
	}
}

// initialise waits until the process asks for work. It returns why it does not;
// the environment is gone then.
func (e *environment) initialise(requestID string, limit time.Duration, closing <-chan struct{}) (outcome, bool) {
	began := time.Now()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	var failed outcome
	select {
	case <-e.ready:
		e.emit(Event{Kind: Ready, PID: e.proc.pid, Took: time.Since(began)})
		return outcome{}, true
	case <-e.refused:
		e.stop()
		failed = outcome{payload: e.initError, failed: true}
	case <-e.gone:
		failed = exited(requestID, e.proc.how)
	case <-timer.C:
		e.stop()
		failed = timedOut(requestID, limit)
	case <-closing:
		e.stop()
		failed = exited(requestID, e.proc.how)
	}
	// A report that came just before the end says more than the end.
	e.mu.Lock()
	if e.initError != nil {
		failed = outcome{payload: e.initError, failed: true}
	}
	e.mu.Unlock()
	e.emit(Event{Kind: InitFailed, RequestID: requestID, Text: string(failed.payload), Took: time.Since(began)})
	return failed, false
}

// serve runs one invocation and leaves the environment frozen, or gone.
func (e *environment) serve(inv *invocation, kill *Fault, closing <-chan struct{}) outcome {
	e.thaw()
	deadline := time.NewTimer(time.Until(inv.deadline))
	defer deadline.Stop()
	work := e.work
	var strike <-chan time.Time
	for {
		select {
		case work <- inv:
			work = nil
			e.emit(Event{Kind: Invoked, RequestID: inv.id, PID: e.proc.pid})
			if kill != nil {
				strike = time.After(kill.After)
			}
		case <-inv.finished:
			e.freeze()
			return inv.outcome(outcome{})
		case <-strike:
			e.proc.signal(syscall.SIGKILL)
		case <-e.gone:
			return inv.outcome(exited(inv.id, e.proc.how))
		case <-deadline.C:
			e.emit(Event{Kind: TimedOut, RequestID: inv.id, PID: e.proc.pid})
			e.stop()
			return inv.outcome(timedOut(inv.id, e.fn.Timeout))
		case <-closing:
			e.stop()
			return inv.outcome(exited(inv.id, e.proc.how))
		}
	}
}

func (e *environment) freeze() {
	e.proc.signal(syscall.SIGSTOP)
	e.emit(Event{Kind: Frozen, PID: e.proc.pid})
}

func (e *environment) thaw() {
	e.proc.signal(syscall.SIGCONT)
	e.emit(Event{Kind: Thawed, PID: e.proc.pid})
}

// stop ends the process as Lambda's shutdown phase does, and waits until nothing
// is left.
func (e *environment) stop() {
	e.mu.Lock()
	internal := e.extension
	e.mu.Unlock()
	var grace time.Duration
	switch {
	case e.fn.Extension:
		grace = graceExternal
	case internal:
		grace = graceInternal
	}
	if grace > 0 {
		e.emit(Event{Kind: Stopping, PID: e.proc.pid, Text: "SIGTERM"})
		e.proc.signal(syscall.SIGTERM)
		e.proc.signal(syscall.SIGCONT) // a frozen process finds the other one first
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-e.gone:
			return
		case <-timer.C:
		}
	}
	e.kill()
}

// kill ends the process without a word and waits until nothing is left.
func (e *environment) kill() {
	e.emit(Event{Kind: Stopping, PID: e.proc.pid, Text: "SIGKILL"})
	e.proc.signal(syscall.SIGKILL)
	<-e.gone
}
