package trigger_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/event"
	"github.com/lifeboat-dr/lifeboat/lambdas/function/trigger"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// slow is a world in which a promotion takes minutes.
var slow = drtest.WorldConfig{Promotion: func() time.Duration { return 80 * time.Second }}

// driving begins a failover that another invocation drives, and returns when that waits
// for the promotion.
func driving(t *testing.T, r *rig) (wait func() (event.Response, error)) {
	t.Helper()
	var wg sync.WaitGroup
	var a event.Response
	var err error
	r.CutRegion(east, true)
	wg.Go(func() { a, err = r.invoke(west, lambdaLimit, request(event.Failover, west)) })
	for begun := time.Now(); r.executions() == 0 || r.last().State != failover.LossAccepted; r.wait(100 * time.Millisecond) {
		require.Less(t, time.Since(begun), time.Minute)
	}
	return func() (event.Response, error) { wg.Wait(); return a, err }
}

// What no request may do is refused by an answer, with a stable code and with what to do.
func TestARefusalIsAnAnswer(t *testing.T) {
	bubble(t, drtest.WorldConfig{}, dr.Policy{}, func(t *testing.T, r *rig) {
		ghost := event.Response{Execution: "0000000002-0001"}
		for name, c := range map[string]struct {
			region  dr.Region
			payload string
			want    event.Refusal
			says    string
		}{
			"no JSON":                             {west, `failover`, event.BadRequest, "send a JSON object"},
			"nothing":                             {west, ``, event.BadRequest, "send a JSON object"},
			"an unknown key":                      {west, `{"mode":"failover","target_region":"us-west-2","force":true}`, event.BadRequest, `key 3 (5 characters) is unknown`},
			"an unknown mode":                     {west, request("failback", west), event.BadRequest, `mode (8 characters) is unknown`},
			"too much":                            {west, `{"mode":"status","reason":"` + strings.Repeat("x", 100_000) + `"}`, event.BadRequest, "65536 are taken"},
			"too deep":                            {west, strings.Repeat(`{"mode":`, 8000), event.BadRequest, "EOF"},
			"a line in a name":                    {west, `{"mode":"switchover","target_region":"us-west-2","by":"jane\n\"level\":\"ERROR\"","reason":"r"}`, event.BadRequest, "by:"},
			"the wrong function, failover":        {east, request(event.Failover, west), event.WrongRegion, "moves the writer to us-east-1"},
			"the wrong function, switchover":      {east, request(event.Switchover, west), event.WrongRegion, "moves the writer to us-east-1"},
			"the wrong function, acknowledge":     {east, consent(ghost, west, "1", "r"), event.WrongRegion, "moves the writer to us-east-1"},
			"the witness as a target":             {west, request(event.Switchover, witness), event.NoMember, "us-east-2 holds no member"},
			"a Region that is no member":          {west, request(event.Failover, "eu-west-1"), event.NoMember, "eu-west-1 holds no member"},
			"an answer before anything has begun": {west, consent(ghost, west, "1", "r"), event.NothingBegun, "no execution has ever begun"},
		} {
			a, err := r.invoke(c.region, lambdaLimit, c.payload)
			require.NoError(t, err, name)
			require.Equal(t, c.want, a.Refused, name)
			require.Contains(t, a.Detail, c.says, name)
			require.NotEmpty(t, a.Do, name)
			require.Zero(t, a.Took, name)
		}
		require.Zero(t, r.executions())
		require.Zero(t, r.Cluster.Moves())
		require.Zero(t, r.marks[west].writes, "who is refused drives nothing")
	})
}

// Whatever the monitor and alarms ask meanwhile, one invocation drives, and the others end
// within a second.
func TestOneInvocationDrives(t *testing.T) {
	bubble(t, slow, dr.Policy{}, func(t *testing.T, r *rig) {
		wait := driving(t, r)
		var wg sync.WaitGroup
		for range 20 {
			for _, payload := range []string{request(event.Failover, west), alarm} {
				wg.Go(func() {
					a, err := r.invoke(west, lambdaLimit, payload)
					require.NoError(t, err)
					require.True(t, a.Driven, "%+v", a)
					require.Equal(t, failover.LossAccepted, a.State)
					require.NotEmpty(t, a.Execution)
					require.Less(t, time.Duration(a.Took), time.Second)
				})
			}
			r.wait(2 * time.Second)
		}
		wg.Wait()
		a, err := wait()
		require.NoError(t, err)
		require.Equal(t, failover.Settled, a.State)
		require.False(t, a.Driven)
		require.Equal(t, 1, r.executions())
		require.Equal(t, 1, r.Cluster.Moves())
	})
}

// An invocation that dies says nothing any more. The next one goes on within a second, and
// is the one that drives.
func TestADeadDriversPlaceIsTaken(t *testing.T) {
	bubble(t, slow, dr.Policy{}, func(t *testing.T, r *rig) {
		h, err := trigger.New(r.config(west))
		require.NoError(t, err)
		ctx, kill := context.WithCancel(r.ctx)
		r.CutRegion(east, true)
		time.AfterFunc(12*time.Second, kill)
		_, err = h.Invoke(ctx, []byte(request(event.Failover, west)))
		require.ErrorIs(t, err, context.Canceled)
		require.False(t, r.marks[west].seen().Released, "it came to nothing more")
		before := r.marks[west].seen()

		began := time.Now()
		a, err := r.invoke(west, lambdaLimit, request(event.Failover, west))
		require.NoError(t, err)
		require.Equal(t, failover.Settled, a.State, a.Detail)
		require.False(t, a.Driven)
		require.Less(t, time.Since(began), 85*time.Second, "it has not waited for the dead one")
		require.Greater(t, r.marks[west].seen().Number, before.Number)
		require.True(t, r.marks[west].seen().Released)
	})
}

// The mark saves calls. That it can't be read or written holds no execution up.
func TestAMarkThatIsSilentHoldsNothingUp(t *testing.T) {
	took := func(silent bool) (took time.Duration) {
		bubble(t, drtest.WorldConfig{}, dr.Policy{}, func(t *testing.T, r *rig) {
			r.marks[west].silent = silent
			r.CutRegion(east, true)
			a, err := r.invoke(west, lambdaLimit, request(event.Failover, west))
			require.NoError(t, err)
			require.Equal(t, failover.Settled, a.State)
			took = time.Duration(a.Took)
		})
		return took
	}
	require.LessOrEqual(t, took(true), took(false)+dr.Policy{}.WithDefaults().CallTimeout)
}

// One that is frozen and comes back finds that another one drives, and ends.
func TestADriverThatWasFrozenEnds(t *testing.T) {
	bubble(t, slow, dr.Policy{}, func(t *testing.T, r *rig) {
		wait := driving(t, r)
		m := r.marks[west]
		frozen := m.mark
		m.mu.Lock()
		m.mark = trigger.Mark{Driver: "another", Number: frozen.Number + 1}
		m.mu.Unlock()
		r.wait(time.Second)
		m.mu.Lock()
		m.mark.Beat++
		m.mu.Unlock()
		began := time.Now()
		a, err := wait()
		require.NoError(t, err)
		require.True(t, a.Driven)
		require.Equal(t, failover.LossAccepted, a.State)
		require.Less(t, time.Since(began), 2*time.Second)
	})
}

// A person's answer is carried out beside an execution of minutes: it is kept, and the
// person hears at once that the execution goes on.
func TestAPersonIsAnsweredBesideAnExecutionOfMinutes(t *testing.T) {
	bubble(t, slow, dr.Policy{}, func(t *testing.T, r *rig) {
		wait := driving(t, r)
		x := r.last()
		for name, c := range map[string]struct {
			payload string
			refused event.Refusal
			driven  bool
		}{
			"an answer that is not asked for": {consent(event.Response{Execution: x.ID}, west, "1", "r"), event.NothingAsked, false},
			"an answer to another execution":  {consent(event.Response{Execution: "0000000001-0001"}, west, "1", "r"), event.OtherExecution, false},
			"a switchover to the same Region": {request(event.Switchover, west), "", true},
			"a look of a person's":            {`{"mode":"failover","target_region":"us-west-2","by":"jane","reason":"r"}`, "", true},
			"a bad request":                   {`{}`, event.BadRequest, false},
		} {
			a, err := r.invoke(west, lambdaLimit, c.payload)
			require.NoError(t, err, name)
			require.Equal(t, c.refused, a.Refused, name)
			require.Equal(t, c.driven, a.Driven, name)
			require.Less(t, time.Duration(a.Took), 2*time.Second, name)
		}
		a, err := wait()
		require.NoError(t, err)
		require.Equal(t, failover.Settled, a.State)
		require.Equal(t, 1, r.Cluster.Moves())
	})
}

// Both Regions are asked at once to have the writer: one execution at a time, one writer
// at the end, and each person hears what became of it.
func TestBothRegionsAreAskedAtOnce(t *testing.T) {
	bubble(t, drtest.WorldConfig{}, dr.Policy{}, func(t *testing.T, r *rig) {
		var wg sync.WaitGroup
		var toWest, toEast event.Response
		var errWest, errEast error
		wg.Go(func() { toWest, errWest = r.invoke(west, lambdaLimit, request(event.Switchover, west)) })
		wg.Go(func() { toEast, errEast = r.invoke(east, lambdaLimit, request(event.Switchover, east)) })
		wg.Wait()
		require.NoError(t, errors.Join(errWest, errEast))
		require.Equal(t, failover.Settled, toWest.State)
		require.Equal(t, failover.Steady, toEast.State, "the writer is there")
		require.Equal(t, 1, r.Cluster.Moves())

		wg.Go(func() { toEast, errEast = r.invoke(east, lambdaLimit, request(event.Switchover, east)) })
		for r.last().To != east {
			r.wait(10 * time.Millisecond)
		}
		late, err := r.invoke(west, lambdaLimit, request(event.Switchover, west))
		require.NoError(t, err)
		require.Contains(t, []event.Refusal{event.UnderWay, ""}, late.Refused)
		wg.Wait()
		require.NoError(t, errEast)
		require.Equal(t, failover.Settled, toEast.State)
		synctest.Wait()
		require.Equal(t, 2, r.Cluster.Moves())
	})
}

// alarm is what CloudWatch sends.
const alarm = `{"source":"aws.cloudwatch","alarmArn":"arn:aws:cloudwatch:us-west-2:444455556666:alarm:lifeboat-prod-impaired","region":"us-west-2",
"alarmData":{"alarmName":"lifeboat-prod-impaired","state":{"value":"ALARM"}}}`
