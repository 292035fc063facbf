package dynamo

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// outcome is what an error says about the request behind it.
type outcome uint8

const (
	done     outcome = iota
	answered         // a refused condition: the table has spoken, every replica says the same
	refused          // not carried out, and asking this replica again changes nothing
	busy             // not carried out, worth asking this replica again after a pause
	met              // not carried out: another Region was writing the same item
	unknown          // no answer, or one that doesn't tell: it may have been carried out
)

func classify(err error) outcome {
	switch {
	case err == nil:
		return done
	case isA[*types.ConditionalCheckFailedException](err):
		return answered
	case isA[*types.ReplicatedWriteConflictException](err):
		return met // "retry the operation"
	case isA[*types.ThrottlingException](err), isA[*types.ProvisionedThroughputExceededException](err), isA[*types.RequestLimitExceeded](err):
		return busy
	}
	var response *smithyhttp.ResponseError
	if errors.As(err, &response) {
		switch code := response.HTTPStatusCode(); {
		case code == http.StatusTooManyRequests:
			return busy
		case code >= 400 && code < 500:
			return refused
		}
	}
	return unknown
}

func isA[E error](err error) bool {
	var e E
	return errors.As(err, &e)
}

// maxBusy is how often one call may be told that another Region writes the same
// item, or to slow down; with the pauses below that takes about a second.
const maxBusy = 10

// homecoming is how long another replica than the first is preferred before a call asks
// the first one again. If that is still dark, the call takes Config.Hedge longer.
const homecoming = 10 * time.Second

// mode says what a call may do.
type mode bool

const (
	writing mode = false
	reading mode = true // all replicas may be asked at once
)

// do performs an operation by attempts that overlap: the preferred replica is asked first,
// another one when the first has refused or has not answered within Config.Hedge, and the
// same one again when it has been silent for its share of the call's time. No attempt is
// given up before the call is: a slow table answers, a dead connection is passed by. The
// first answer counts, and ends the others.
//
// It reports whether another attempt than the one that counts may have been carried out,
// or be carried out yet; of a call that failed, whether any may.
func do[T any](ctx context.Context, s *Store, op string, m mode, send func(context.Context, Client) (T, error)) (value T, ambiguous bool, err error) {
	budget := s.budget(ctx)
	ctx, cancel := context.WithTimeout(ctx, budget)
	c := newCall[T](ctx, s, m, send)
	defer c.wg.Wait()
	defer cancel() // before the wait
	value, ambiguous, err = c.run()
	if err != nil {
		err = s.fail(op, err)
	}
	return value, ambiguous, err
}

// budget is the time of a call: until its deadline, or Timeout for each attempt.
func (s *Store) budget(ctx context.Context) time.Duration {
	if deadline, ok := ctx.Deadline(); ok {
		return time.Until(deadline)
	}
	return s.cfg.Timeout * time.Duration(s.cfg.Attempts)
}

// reply is what became of an attempt.
type reply[T any] struct {
	client int
	value  T
	err    error
}

// replica is what one call knows of a client.
type replica struct {
	asked bool
	tries int       // attempts that count
	dead  bool      // it has refused for good
	ready time.Time // when it is asked, or asked again
	err   error
}

// call is one operation under way. Its goroutines end with its context.
type call[T any] struct {
	ctx      context.Context
	s        *Store
	send     func(context.Context, Client) (T, error)
	replicas []replica
	replies  chan reply[T]
	wg       sync.WaitGroup

	racing bool // the replicas are asked at once
	first  int  // the replica that was asked first
	second int  // the one that was asked because that was silent; below 0 when none was
	out    int  // attempts without an end
	lost   bool // an attempt has ended without saying what it did
	pauses int
}

func newCall[T any](ctx context.Context, s *Store, m mode, send func(context.Context, Client) (T, error)) *call[T] {
	n := len(s.cfg.Clients)
	c := &call[T]{
		ctx: ctx, s: s, send: send, replicas: make([]replica, n),
		replies: make(chan reply[T], n*s.cfg.Attempts+maxBusy), // one for each attempt, so that none waits to be heard
	}
	hedge := s.cfg.Hedge
	if m == reading && !s.answered.Load() {
		hedge, c.racing = 0, true // a process that starts while the first replica is dark must not wait for it
	}
	now := time.Now()
	c.first, c.second = s.prefers(), -1
	for i := range n {
		c.replicas[(c.first+i)%n].ready = now.Add(time.Duration(i) * hedge)
	}
	return c
}

// run asks until a replica answers, or none is left to ask.
func (c *call[T]) run() (value T, ambiguous bool, err error) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		var wake <-chan time.Time
		var ended <-chan struct{}
		next := c.next()
		if next >= 0 {
			if wait := time.Until(c.replicas[next].ready); wait <= 0 {
				c.ask(next)
				continue
			} else if timer.Reset(wait); true {
				wake, ended = timer.C, c.ctx.Done()
			}
		} else if c.out == 0 {
			return value, c.lost, c.failure()
		}
		select {
		case <-wake:
		case <-ended: // and so do the attempts
		case r := <-c.replies:
			if c.hear(r) {
				return r.value, c.lost || c.out > 0, r.err
			}
		}
	}
}

// next returns the replica that is asked next, below 0 when none is.
func (c *call[T]) next() int {
	next := -1
	if c.ctx.Err() != nil || c.pauses > maxBusy {
		return next
	}
	for i, r := range c.replicas {
		if !r.dead && r.tries < c.s.cfg.Attempts && (next < 0 || r.ready.Before(c.replicas[next].ready)) {
			next = i
		}
	}
	return next
}

// ask sends an attempt to a replica.
func (c *call[T]) ask(at int) {
	r := &c.replicas[at]
	if at != c.first && c.out > 0 && c.second < 0 && !c.racing {
		c.second = at
	}
	r.ready = time.Now().Add(c.s.share(c.ctx, c.s.cfg.Attempts-r.tries))
	r.asked = true
	r.tries++
	c.out++
	c.wg.Go(func() {
		value, err := c.send(c.ctx, c.s.cfg.Clients[at])
		c.replies <- reply[T]{at, value, err}
	})
}

// hear takes an attempt's end. It reports whether the call has ended with it.
func (c *call[T]) hear(a reply[T]) (end bool) {
	r := &c.replicas[a.client]
	c.out--
	r.err = a.err
	switch classify(a.err) {
	case done, answered:
		if a.client == c.first && c.second >= 0 {
			c.s.prefer(c.second) // it may be faster: this one was silent for Hedge
			c.s.trouble(c.first, errSilent)
		} else {
			if a.client == c.second {
				c.s.trouble(c.first, errSilent)
			}
			c.s.prefer(a.client)
		}
		return true
	case met: // it is about the item: another replica would say the same
		r.tries--
		c.pause(r)
		return false
	case refused:
		c.s.trouble(a.client, a.err)
		r.dead = true
	case busy:
		c.s.trouble(a.client, a.err)
		r.tries--
		c.pause(r)
	case unknown:
		if c.ctx.Err() == nil {
			c.s.trouble(a.client, a.err)
		}
		c.lost = true
		c.pause(r)
	}
	for i := range c.replicas {
		if !c.replicas[i].asked {
			c.replicas[i].ready = time.Now()
		}
	}
	return false
}

func (c *call[T]) pause(r *replica) {
	c.pauses++
	r.ready = time.Now().Add(c.s.wait(c.pauses))
}

// failure is the error of a call that no replica has answered: that of the first replica,
// which is the local Region's, or else of another one.
func (c *call[T]) failure() error {
	for _, r := range c.replicas {
		if r.err != nil {
			return r.err
		}
	}
	return c.ctx.Err()
}

// share is how long a replica may be silent before it is asked again, beside the attempt
// that is under way: that one may have gone into a dead connection.
func (s *Store) share(ctx context.Context, left int) time.Duration {
	deadline, _ := ctx.Deadline()
	return min(s.cfg.Timeout, time.Until(deadline)/time.Duration(left))
}

// prefers returns the client to ask first: the one that answered last, but the first one
// again when another has been preferred for a while. One call finds out how that is.
func (s *Store) prefers() int {
	at := int(s.preferred.Load())
	if at == 0 {
		return 0
	}
	now, since := int64(time.Since(s.born)), s.away.Load()
	if now-since >= int64(homecoming) && s.away.CompareAndSwap(since, now) {
		return 0
	}
	return at
}

var errSilent = errors.New("no answer in time: another Region's replica is asked")

func (s *Store) trouble(client int, err error) {
	if s.cfg.Trouble != nil {
		s.cfg.Trouble(client, err)
	}
}

func (s *Store) prefer(client int) {
	if s.preferred.Swap(uint32(client)) != uint32(client) {
		s.away.Store(int64(time.Since(s.born)))
	}
	s.answered.Store(true)
}

// wait is the n-th pause before another attempt: 20 ms, doubled up to 160 ms, less a random
// half so that two Regions in conflict don't meet again.
func (s *Store) wait(n int) time.Duration {
	d := 20 * time.Millisecond << min(n-1, 3)
	return d/2 + time.Duration(s.cfg.Jitter()*float64(d/2))
}
