package docker_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/target/docker"
)

// One world serves all subtests, each after a reset: that a reset undoes
// whatever the test before did is part of what is tested.
func TestFleet(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		name string
		run  func(*testing.T, world)
	}{
		{"distance", distance},
		{"replication", replication},
		{"boots read-only", bootsReadOnly},
		{"kill", kill},
		{"freeze", freeze},
		{"blackout", blackout},
		{"one way", oneWay},
		{"one peer", onePeer},
		{"link cut", linkCut},
		{"lag", lag},
		{"lag is lost in a blackout", lagLost},
		{"isolation", isolation},
		{"reboot", reboot},
		{"reboot of a frozen host", rebootFrozenHost},
		{"errors", callErrors},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.run(t, w.with(t)) })
	}
	start := time.Now()
	require.NoError(t, w.Reset(t.Context(), west))
	t.Attr("reset", time.Since(start).Round(time.Millisecond).String())
	require.Equal(t, docker.ProbeOK, w.insert(east, west, "", 1, 5*time.Second).Outcome, "the writer is where Reset put it")
}

// A connection takes a round trip, as TCP does.
func distance(t *testing.T, w world) {
	for _, tt := range []struct {
		from, to string
		rtt      time.Duration
	}{
		{west, east, 60 * time.Millisecond}, {east, west, 60 * time.Millisecond},
		{witness, east, 24 * time.Millisecond}, {witness, west, 50 * time.Millisecond},
	} {
		took := time.Hour
		for range 3 { // the first one also asks for hardware addresses
			a := w.dial(tt.from, tt.to, 2*time.Second)
			require.Equal(t, docker.ProbeOK, a.Outcome, a.Error)
			took = min(took, a.Took())
		}
		t.Logf("%s -> %s: %v", tt.from, tt.to, took)
		require.GreaterOrEqual(t, took, tt.rtt)
		require.Less(t, took, tt.rtt+15*time.Millisecond)
	}
	require.Less(t, w.dial(east, east, time.Second).Took(), 10*time.Millisecond)
}

func replication(t *testing.T, w world) {
	a := w.insert(witness, east, "", 1, 5*time.Second)
	require.Equal(t, docker.ProbeOK, a.Outcome, a.Error)
	w.eventuallyHas(west, 1)
	a = w.insert(witness, west, "", 2, 5*time.Second)
	require.Equal(t, docker.ProbeReadOnly, a.Outcome, "a replica takes no writes: %s", a.Error)

	// The histories begin empty, so nothing but the one write is in them.
	for _, region := range []string{east, west} {
		rows, err := w.db(region).Query(t.Context(), "SELECT @@gtid_executed, @@server_uuid")
		require.NoError(t, err)
		require.Regexp(t, `^[0-9a-f-]{36}:1$`, *rows.Rows[0][0])
		if region == west {
			require.NotContains(t, *rows.Rows[0][0], *rows.Rows[0][1], "the write is the east's")
		}
	}
}

func bootsReadOnly(t *testing.T, w world) {
	_, err := w.db(east).Kill(t.Context())
	require.NoError(t, err)
	st, err := w.db(east).Start(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, "running", st.State)
	require.Equal(t, docker.ProbeReadOnly, w.insert(east, east, "", 1, 5*time.Second).Outcome)
}

// A killed server breaks its clients' connections, also across the link, and
// refuses new ones.
func kill(t *testing.T, w world) {
	require.Equal(t, docker.ProbeOK, w.insert(west, east, "c", 1, 5*time.Second).Outcome)
	st, err := w.db(east).Kill(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, "stopped", st.State)
	a := w.insert(west, east, "c", 2, 5*time.Second)
	require.Equal(t, docker.ProbeBroken, a.Outcome, a.Error)
	require.Less(t, a.Took(), time.Second)
	a = w.dial(west, east, 5*time.Second)
	require.Equal(t, docker.ProbeRefused, a.Outcome, a.Error)
	require.InDelta(t, 60, a.Took().Milliseconds(), 20, "the refusal crosses the link")
}

// A frozen server is connected to and never answers; thawed, it goes on.
func freeze(t *testing.T, w world) {
	require.Equal(t, docker.ProbeOK, w.insert(witness, east, "c", 1, 5*time.Second).Outcome)
	_, err := w.db(east).Freeze(t.Context(), false)
	require.NoError(t, err)
	require.Equal(t, docker.ProbeOK, w.dial(witness, east, time.Second).Outcome, "the kernel still accepts")
	require.Equal(t, docker.ProbeSilent, w.insert(witness, east, "", 2, time.Second).Outcome)

	answer := make(chan docker.Answer, 1)
	go func() { answer <- w.insert(witness, east, "c", 3, 20*time.Second) }()
	select {
	case a := <-answer:
		t.Fatal("a frozen server answered:", a)
	case <-time.After(time.Second):
	}
	_, err = w.db(east).Thaw(t.Context())
	require.NoError(t, err)
	a := <-answer
	require.Equal(t, docker.ProbeOK, a.Outcome, a.Error)
}

// A cut namespace leaves a SYN unanswered, and its connections survive.
func blackout(t *testing.T, w world) {
	require.Equal(t, docker.ProbeOK, w.insert(witness, east, "c", 1, 5*time.Second).Outcome)
	at, err := w.db(east).Cut(t.Context(), "", all())
	require.NoError(t, err)
	require.Positive(t, at)
	for _, from := range []string{east, west, witness} {
		a := w.dial(from, east, 700*time.Millisecond)
		require.Equal(t, docker.ProbeSilent, a.Outcome, "%s: %s", from, a.Error)
		require.Greater(t, a.Start, at, "one clock for all containers")
	}
	answer := make(chan docker.Answer, 1)
	go func() { answer <- w.insert(witness, east, "c", 2, 30*time.Second) }()
	select {
	case a := <-answer:
		t.Fatal("a cut server answered:", a)
	case <-time.After(time.Second):
	}
	_, err = w.db(east).Heal(t.Context(), "")
	require.NoError(t, err)
	a := <-answer
	require.Equal(t, docker.ProbeOK, a.Outcome, "the old connection goes on: %s", a.Error)
	w.eventuallyHas(west, 2)
}

// Replies that are lost leave the client ignorant of a write that happened.
func oneWay(t *testing.T, w world) {
	require.Equal(t, docker.ProbeOK, w.insert(witness, east, "c", 1, 5*time.Second).Outcome)
	_, err := w.db(east).Cut(t.Context(), "", docker.Cut{Mode: "all", Direction: "out"})
	require.NoError(t, err)
	require.Equal(t, docker.ProbeSilent, w.insert(witness, east, "c", 2, time.Second).Outcome)
	w.eventuallyHas(east, 2)
}

// Addresses are the same everywhere, so a server can be deaf to one client.
func onePeer(t *testing.T, w world) {
	p, err := w.Probe(witness + "/probe")
	require.NoError(t, err)
	_, err = w.db(east).Cut(t.Context(), "", peer(p.Addr()))
	require.NoError(t, err)
	require.Equal(t, docker.ProbeSilent, w.dial(witness, east, 700*time.Millisecond).Outcome)
	require.Equal(t, docker.ProbeOK, w.dial(west, east, 2*time.Second).Outcome)
}

// A cut link parts two Regions and nothing else.
func linkCut(t *testing.T, w world) {
	_, err := w.road(west, east).Cut(t.Context(), "", all())
	require.NoError(t, err)
	require.Equal(t, docker.ProbeSilent, w.dial(west, east, 700*time.Millisecond).Outcome)
	require.Equal(t, docker.ProbeSilent, w.dial(east, west, 700*time.Millisecond).Outcome)
	require.Equal(t, docker.ProbeOK, w.dial(witness, east, 2*time.Second).Outcome)
	require.Equal(t, docker.ProbeOK, w.insert(east, east, "", 1, 2*time.Second).Outcome)
	require.False(t, w.has(west, 1))
	_, err = w.road(east, west).Heal(t.Context(), "")
	require.NoError(t, err)
	w.eventuallyHas(west, 1)
}

// Lag delays replication and nothing else.
func lag(t *testing.T, w world) {
	const extra = 3 * time.Second
	road := w.road(east, west)
	require.NoError(t, road.Lag(t.Context(), east, extra, 2*extra))
	// While the lag grows, writes keep the connection busy, as in a drill.
	id := 0
	pace := time.NewTicker(20 * time.Millisecond)
	defer pace.Stop()
	for begin := time.Now(); time.Since(begin) < 3*extra; <-pace.C {
		id++
		require.Equal(t, docker.ProbeOK, w.insert(east, east, "c", id, 2*time.Second).Outcome)
	}
	last := id
	begin := time.Now()
	w.eventuallyHas(west, last)
	took := time.Since(begin)
	t.Logf("lag of %v measured as %v", extra, took)
	require.InDelta(t, extra.Seconds(), took.Seconds(), 0.5)
	require.Less(t, w.dial(west, east, 2*time.Second).Took(), 100*time.Millisecond, "others don't lag")
	require.NoError(t, road.Lag(t.Context(), east, 0, 0))
}

// What lags when a Region falls silent never arrives.
func lagLost(t *testing.T, w world) {
	require.NoError(t, w.road(east, west).Lag(t.Context(), east, 2*time.Second, 4*time.Second))
	id := 0
	pace := time.NewTicker(20 * time.Millisecond)
	defer pace.Stop()
	for begin := time.Now(); time.Since(begin) < 6*time.Second; <-pace.C {
		id++
		require.Equal(t, docker.ProbeOK, w.insert(east, east, "c", id, 2*time.Second).Outcome)
	}
	_, err := w.Blackout(t.Context(), "", east)
	require.NoError(t, err)
	gone := time.NewTimer(3 * time.Second)
	<-gone.C
	require.False(t, w.has(west, id))
	require.True(t, w.has(west, 1))
	require.NoError(t, w.road(east, west).Lag(t.Context(), east, 0, 0))
	_, err = w.Heal(t.Context(), "")
	require.NoError(t, err)
	w.eventuallyHas(west, id)
}

// An isolated Region goes on inside and is silent to the others.
func isolation(t *testing.T, w world) {
	at, err := w.Isolate(t.Context(), "cut", east)
	require.NoError(t, err)
	require.Equal(t, docker.ProbeOK, w.insert(east, east, "", 1, 2*time.Second).Outcome)
	for _, other := range []string{west, witness} {
		a := w.dial(other, east, 700*time.Millisecond)
		require.Equal(t, docker.ProbeSilent, a.Outcome)
		require.Greater(t, a.Start, at)
	}
	require.Equal(t, docker.ProbeOK, w.dial(witness, west, 2*time.Second).Outcome)
	_, err = w.Heal(t.Context(), "another")
	require.NoError(t, err)
	require.Equal(t, docker.ProbeSilent, w.dial(west, east, 700*time.Millisecond).Outcome)
	_, err = w.Heal(t.Context(), "cut")
	require.NoError(t, err)
	require.Equal(t, docker.ProbeOK, w.dial(west, east, 2*time.Second).Outcome)
}

// A reboot ends in an open port and a read-only server; until the new process
// answers, its clients see silence and never an acknowledgement.
func reboot(t *testing.T, w world) {
	require.Equal(t, docker.ProbeOK, w.insert(east, east, "c", 1, 5*time.Second).Outcome)
	_, err := w.db(east).Freeze(t.Context(), false)
	require.NoError(t, err)
	_, err = w.db(east).Reboot(t.Context())
	require.NoError(t, err)
	require.NotEqual(t, docker.ProbeOK, w.insert(east, east, "c", 2, 500*time.Millisecond).Outcome)
	require.Eventually(t, func() bool {
		return w.insert(east, east, "", 3, time.Second).Outcome == docker.ProbeReadOnly
	}, 20*time.Second, 20*time.Millisecond)
	require.True(t, w.has(east, 1), "what was acknowledged is there")
	require.False(t, w.has(east, 2))
}

// A frozen host can't be rebooted: it is fenced by the cut until it thaws, and
// then the old process never runs again.
func rebootFrozenHost(t *testing.T, w world) {
	require.Equal(t, docker.ProbeOK, w.insert(east, east, "c", 1, 5*time.Second).Outcome)
	before, err := w.db(east).Freeze(t.Context(), true)
	require.NoError(t, err)
	st, err := w.db(east).Reboot(t.Context())
	require.NoError(t, err)
	require.True(t, st.RebootPending)
	require.Equal(t, before.PID, st.PID, "it is still there")
	require.Equal(t, docker.ProbeSilent, w.dial(east, east, 500*time.Millisecond).Outcome)

	_, err = w.db(east).Heal(t.Context(), "")
	require.NoError(t, err)
	require.Equal(t, docker.ProbeSilent, w.dial(east, east, 500*time.Millisecond).Outcome, "healing faults doesn't lift the fence")

	_, err = w.db(east).Thaw(t.Context())
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		return w.insert(east, east, "", 2, time.Second).Outcome == docker.ProbeReadOnly
	}, 20*time.Second, 20*time.Millisecond)
	after, err := w.db(east).Status(t.Context())
	require.NoError(t, err)
	require.NotEqual(t, before.PID, after.PID)
	require.False(t, after.RebootPending)
}

func callErrors(t *testing.T, w world) {
	ctx := t.Context()
	_, err := w.db(east).Cut(ctx, "", docker.Cut{Mode: "port"})
	require.ErrorContains(t, err, "port is missing")
	_, err = w.db(east).Query(ctx, "SELECT nonsense")
	require.ErrorContains(t, err, "nonsense")
	_, err = w.Database(witness)
	require.ErrorContains(t, err, "no node")
	_, err = w.Road(east, east)
	require.ErrorContains(t, err, "no node")
	_, err = w.Probe(east + "/db")
	require.ErrorContains(t, err, "is a db and no probe")
	require.ErrorContains(t, w.road(east, west).Lag(ctx, witness, 1, 0), "no flow")
	_, err = w.db(east).Kill(ctx)
	require.NoError(t, err)
	_, err = w.db(east).Freeze(ctx, false)
	require.ErrorContains(t, err, "does not run")
	_, err = w.db(east).Thaw(ctx)
	require.ErrorContains(t, err, "does not run")
}
