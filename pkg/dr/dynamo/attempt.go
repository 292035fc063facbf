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
	done    outcome = iota
	refused         // not carried out, and asking again changes nothing
	busy            // not carried out, worth asking again after a pause
	unknown         // no answer, or one that doesn't tell: it may have been carried out
)

func classify(err error) outcome {
	if err == nil {
		return done
	}
	if isA[*types.ConditionalCheckFailedException](err) {
		return refused
	}
	// Another Region was writing the same item: "retry the operation".
	if isA[*types.ReplicatedWriteConflictException](err) || isA[*types.ThrottlingException](err) ||
		isA[*types.ProvisionedThroughputExceededException](err) || isA[*types.RequestLimitExceeded](err) {
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

// do performs an operation in bounded attempts. It reports whether an attempt
// before the last one may have been carried out, or the last one if it failed
// without an answer.
func (s *Store) do(ctx context.Context, op string, f func(context.Context, Client) error) (ambiguous bool, err error) {
	client := int(s.preferred.Load()) % len(s.cfg.Clients)
	left, delays := s.cfg.Attempts, 0
	for {
		attempt, cancel := context.WithTimeout(ctx, s.share(ctx, left))
		err = f(attempt, s.cfg.Clients[client])
		cancel()
		switch classify(err) {
		case done:
			s.prefer(client)
			return ambiguous, nil
		case refused:
			s.prefer(client)
			return ambiguous, s.fail(op, err)
		case unknown:
			ambiguous = true
			client = (client + 1) % len(s.cfg.Clients)
			left--
		}
		delays++
		if left == 0 || delays > maxBusy || s.wait(ctx, delays) != nil {
			return ambiguous, s.fail(op, err)
		}
	}
}

func (s *Store) prefer(client int) {
	s.preferred.Store(uint32(client))
	s.answered.Store(true)
}

// race has every client read at once, for the first answer in the Store's life: a
// process that starts while the first client's Region is dark would lose an attempt to
// it. It reports false when there is nothing to race for, or nobody has answered in the
// time of one attempt. Reads only: which of two writes was carried out could not be told.
func race[T any](ctx context.Context, s *Store, read func(context.Context, Client) (T, error)) (first T, ok bool) {
	if len(s.cfg.Clients) < 2 || s.answered.Load() {
		return first, false
	}
	ctx, cancel := context.WithTimeout(ctx, s.share(ctx, s.cfg.Attempts))
	type answer struct {
		client int
		value  T
		err    error
	}
	answers := make(chan answer, len(s.cfg.Clients))
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel() // before the wait
	for i, c := range s.cfg.Clients {
		wg.Go(func() {
			value, err := read(ctx, c)
			answers <- answer{i, value, err}
		})
	}
	for range s.cfg.Clients {
		if a := <-answers; a.err == nil {
			s.prefer(a.client)
			return a.value, true
		}
	}
	return first, false
}

// share is the time of the next of so many attempts: a first attempt into a dead
// connection must leave the second one time to succeed.
func (s *Store) share(ctx context.Context, left int) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return s.cfg.Timeout
	}
	return min(s.cfg.Timeout, time.Until(deadline)/time.Duration(left))
}

// wait pauses before another attempt: 20 ms, doubled up to 160 ms, less a random
// half so that two Regions in conflict don't meet again.
func (s *Store) wait(ctx context.Context, n int) error {
	d := 20 * time.Millisecond << min(n-1, 3)
	t := time.NewTimer(d/2 + time.Duration(s.cfg.Jitter()*float64(d/2)))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
