package control_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/control"
)

// serve runs s on loopback and returns a client and what Run will return.
func serve(t *testing.T, s *control.Server) (*control.Client, <-chan error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ended := make(chan error, 1)
	ctx, cancel := context.WithCancel(context.Background())
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		ended <- s.Run(ctx, l)
	}()
	t.Cleanup(func() { cancel(); <-finished })
	c := control.NewClient("us-east-1/db", l.Addr().String())
	t.Cleanup(c.Close)
	return c, ended
}

type sum struct{ A, B, Sum int }

func TestCallCarriesQueryBodyAnswerAndErrors(t *testing.T) {
	s := control.NewServer(control.Lifeline{})
	s.Handle("POST /add", func(r *http.Request) (any, error) {
		a, err := control.Query(r, "a", 0, strconv.Atoi)
		if err != nil {
			return nil, err
		}
		b, err := control.Query(r, "b", 40, strconv.Atoi)
		return sum{a, b, a + b}, err
	})
	s.Handle("POST /fail", func(*http.Request) (any, error) { return nil, errors.New("mysqld: out of luck") })
	c, _ := serve(t, s)
	ctx := t.Context()

	var got sum
	require.NoError(t, c.Call(ctx, "/add", url.Values{"a": {"2"}}, nil, &got))
	require.Equal(t, sum{2, 40, 42}, got)

	err := c.Call(ctx, "/add", url.Values{"a": {"two"}}, nil, nil)
	require.ErrorContains(t, err, "us-east-1/db/add: 400")
	require.ErrorContains(t, err, "parameter a")
	require.ErrorContains(t, c.Call(ctx, "/fail", nil, nil, nil), "500 Internal Server Error: mysqld: out of luck")
	require.ErrorContains(t, c.Get(ctx, "/nothing", nil), "404")
}

func TestServerEndsWhenTheLifelineIsLost(t *testing.T) {
	s := control.NewServer(control.Lifeline{Grace: 50 * time.Millisecond})
	c, ended := serve(t, s)

	ctx, cancel := context.WithCancel(t.Context())
	held, known := make(chan error, 1), make(chan struct{})
	go func() { held <- c.Hold(ctx, func() { close(known) }) }()
	<-known
	select {
	case err := <-ended:
		t.Fatal("ended while the lifeline was held:", err)
	case <-time.After(300 * time.Millisecond):
	}
	cancel()
	require.Error(t, <-held)
	require.ErrorIs(t, <-ended, control.ErrOrphaned)
}

func TestServerEndsWithoutALifeline(t *testing.T) {
	_, ended := serve(t, control.NewServer(control.Lifeline{First: 20 * time.Millisecond}))
	require.ErrorIs(t, <-ended, control.ErrOrphaned)
}

func TestHoldEndsWithTheServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- control.NewServer(control.Lifeline{}).Run(ctx, l) }()
	c := control.NewClient("x", l.Addr().String())
	held, known := make(chan error, 1), make(chan struct{})
	go func() { held <- c.Hold(t.Context(), func() { close(known) }) }()
	<-known
	cancel()
	require.NoError(t, <-ended)
	select {
	case <-held:
	case <-time.After(5 * time.Second):
		t.Fatal("the lifeline outlived the server")
	}
}
