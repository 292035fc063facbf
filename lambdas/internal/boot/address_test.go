package boot_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/lambdas/internal/boot"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/aurora"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/dynamo"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// book is a table of addresses that can be slow and be out of reach.
type book struct {
	mu        sync.Mutex
	addresses map[dr.Region]dynamo.Place
	err       error
	slow      time.Duration
	looks     int
	announced int
}

func (b *book) set(f func(*book)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f(b)
}

// wait takes the book's time.
func (b *book) wait(ctx context.Context) error {
	b.mu.Lock()
	slow, err := b.slow, b.err
	b.mu.Unlock()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(slow):
		return err
	}
}

func (b *book) Address(ctx context.Context, r dr.Region) (dynamo.Place, error) {
	b.set(func(b *book) { b.looks++ })
	if err := b.wait(ctx); err != nil {
		return dynamo.Place{}, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.addresses[r].Address == "" {
		return dynamo.Place{}, dynamo.ErrNoAddress
	}
	return b.addresses[r], nil
}

func (b *book) Announce(ctx context.Context, r dr.Region, place dynamo.Place) error {
	b.set(func(b *book) { b.announced++ })
	if err := b.wait(ctx); err != nil {
		return err
	}
	b.set(func(b *book) { b.addresses[r] = place })
	return nil
}

func known() *boot.Login {
	return boot.NewLogin("arn", "lifeboat", &vault{value: secret("lifeboat", "first")})
}

func TestAnAddressIsLookedUpOnceAndAgainWhenNothingAnswersThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &book{addresses: map[dr.Region]dynamo.Place{east: {Address: "one:3306", Reader: "one-ro:3306"}}}
		s, end := boot.NewFoundServer(east, b, known())
		defer end()
		where := func() string {
			got, err := s.Resolve(t.Context())
			require.NoError(t, err)
			require.Equal(t, strings.Replace(got.Addr, ":", "-ro:", 1), got.Reader, "both or neither")
			return got.Addr
		}
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() { require.Equal(t, "one:3306", where()) })
		}
		wg.Wait()
		require.Equal(t, 1, b.looks, "eight connections at once are one look")
		<-time.After(time.Hour)
		require.Equal(t, "one:3306", where())
		s.Failed(errDenied)
		synctest.Wait()
		require.Equal(t, 1, b.looks, "who denies a login is there")

		b.set(func(b *book) {
			b.addresses[east], b.slow = dynamo.Place{Address: "two:3306", Reader: "two-ro:3306"}, time.Second
		})
		s.Failed(errors.New("refused"))
		began := time.Now()
		require.Equal(t, "one:3306", where())
		require.Zero(t, time.Since(began), "what is known never waits for the table")
		<-time.After(2 * time.Second)
		require.Equal(t, "two:3306", where())
		require.Equal(t, 2, b.looks)

		b.set(func(b *book) { b.err = errors.New("down") })
		for range 40 { // a Region that is gone, asked for twice a second
			s.Failed(errors.New("timeout"))
			<-time.After(500 * time.Millisecond)
		}
		require.LessOrEqual(t, b.looks, 7)
		require.Equal(t, "two:3306", where(), "a table that is down takes nothing away")
	})
}

func TestALookThatRunsEndsWithTheProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &book{addresses: map[dr.Region]dynamo.Place{east: {Address: "one:3306", Reader: "one-ro:3306"}}}
		s, end := boot.NewFoundServer(east, b, known())
		_, err := s.Resolve(t.Context())
		require.NoError(t, err)
		<-time.After(time.Minute)
		b.set(func(b *book) { b.slow = time.Second })
		s.Failed(errors.New("refused"))
		began := time.Now()
		end()
		require.Zero(t, time.Since(began))
		<-time.After(time.Minute)
		s.Failed(errors.New("refused"))
		synctest.Wait()
		require.Equal(t, 2, b.looks, "nothing looks afterwards")
	})
}

// The crux: whatever keeps the peer's address away, the peer isn't called dead for it.
func TestAPeerWhoseAddressIsNotKnownIsUnknown(t *testing.T) {
	c, server := newCloud(t), newDenier(t)
	p := assemble(t, c, west, boot.Monitor, map[string]string{
		"LIFEBOAT_DIALECT": "mysql", "LIFEBOAT_DATABASE_CA": "none", "LIFEBOAT_DATABASES": "us-west-2=" + server.address,
	})
	probe := func() []health.Observation {
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond) // dr.Policy's ProbeTimeout
		defer cancel()
		return memberOf(p).Probers[1].Probe(ctx, east)
	}
	all := func(want health.Answer, cause string) {
		t.Helper()
		for _, o := range probe() {
			require.Equal(t, want, o.Answer, o.Cause)
			require.Contains(t, o.Cause, cause)
			require.Equal(t, health.SQL, o.Family)
		}
	}
	all(health.Unknown, "its health monitor announces it")

	set := func(mute, peer string) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.mute, c.peer = mute, peer
	}
	set("/dynamodb", "")
	all(health.Unknown, "the server was not asked")

	gone, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, gone.Close())
	set("/secrets", gone.Addr().String())
	all(health.Unknown, "read secret")
	set("", gone.Addr().String())
	all(health.Dead, "connection refused")
	require.Empty(t, server.asked(), "the local Region's server is another one")
}

func TestAFoundPeerIsAsked(t *testing.T) {
	c, server := newCloud(t), newDenier(t)
	c.peer = server.address
	p := assemble(t, c, west, boot.Trigger, map[string]string{
		"LIFEBOAT_DIALECT": "mysql", "LIFEBOAT_DATABASE_CA": "none", "LIFEBOAT_DATABASES": "us-west-2=127.0.0.1:1", "LIFEBOAT_SERVERS": "1=us-east-1",
	})
	for _, o := range p.Trigger.Agent.Probers[1].Probe(t.Context(), east) {
		require.Equal(t, health.Unknown, o.Answer)
		require.True(t, o.RegionAnswers)
	}
	require.Equal(t, []string{"lifeboat", "lifeboat"}, server.asked())
	require.Equal(t, 1, c.called("address#us-east-1"))
}

var _ aurora.MySQLSource = boot.NewServer("", nil)

func TestTheOwnAddressIsAnnouncedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &book{addresses: make(map[dr.Region]dynamo.Place), err: errors.New("down")}
		place := dynamo.Place{Address: "db:3306", Reader: "db-ro:3306"}
		var problems []dr.Problem
		a := boot.NewAnnouncer(west, place, b, &dr.Trace{Problem: func(p dr.Problem) { problems = append(problems, p) }})

		ctx, cancel := context.WithTimeout(t.Context(), 900*time.Millisecond)
		a.Run(ctx)
		cancel()
		require.Zero(t, b.announced, "a short invocation, and nothing in the first probe's way")

		ctx, cancel = context.WithTimeout(t.Context(), 40*time.Second)
		a.Run(ctx)
		cancel()
		require.Equal(t, 3, b.announced, "it is tried again, and not all the time")
		require.Len(t, problems, 3)
		require.Equal(t, "announce the database's address", problems[0].Op)
		require.Equal(t, west, problems[0].Region)

		b.set(func(b *book) { b.err, b.slow = nil, time.Hour })
		ctx, cancel = context.WithTimeout(t.Context(), 2*time.Second)
		a.Run(ctx)
		cancel()
		require.Len(t, problems, 3, "an invocation that ends is no problem")

		b.set(func(b *book) { b.slow = 0 })
		a.Run(t.Context())
		require.Equal(t, place, b.addresses[west])
		before := b.announced
		a.Run(t.Context())
		require.Equal(t, before, b.announced, "once in a process's life")
	})
}
