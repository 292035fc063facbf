package monitorlease_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/monitorlease"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/lease"
)

func TestDecide(t *testing.T) {
	c := monitorlease.Config{}.WithDefaults()
	silent := c.TTL + c.Drift
	held := monitorlease.Lease{Region: "us-east-1", Holder: "old", Number: 7, Beat: 3}
	with := func(change func(*monitorlease.Lease)) monitorlease.Lease {
		t := held
		change(&t)
		return t
	}
	claimed := func(by string) monitorlease.Lease { return with(func(t *monitorlease.Lease) { t.Next = by }) }
	released := func(next string) monitorlease.Lease {
		return with(func(t *monitorlease.Lease) { t.Next, t.Released = next, true })
	}
	mine := with(func(t *monitorlease.Lease) { t.Holder = "me" })
	by := func(t monitorlease.Lease) monitorlease.Lease { t.Holder = "me"; return t }

	for name, x := range map[string]struct {
		v    monitorlease.View
		want monitorlease.Step
	}{
		"no process ever had it":                   {monitorlease.View{}, monitorlease.Take},
		"another works":                            {monitorlease.View{Behind: "old", Lease: held}, monitorlease.Claim},
		"another works and is nearly silent":       {monitorlease.View{Behind: "old", Lease: held, Unchanged: silent - 1}, monitorlease.Claim},
		"I have claimed it":                        {monitorlease.View{Behind: "old", Lease: claimed("me")}, monitorlease.Wait},
		"a doubled tick":                           {monitorlease.View{Behind: "old", Lease: claimed("twin")}, monitorlease.Wait},
		"silent, and I wait":                       {monitorlease.View{Behind: "old", Lease: claimed("me"), Unchanged: silent}, monitorlease.Take},
		"silent, and nearly so long":               {monitorlease.View{Behind: "old", Lease: claimed("me"), Unchanged: silent - 1}, monitorlease.Wait},
		"silent, and no process waits":             {monitorlease.View{Behind: "old", Lease: held, Unchanged: silent}, monitorlease.Take},
		"silent, and a twin waits":                 {monitorlease.View{Behind: "old", Lease: claimed("twin"), Unchanged: silent}, monitorlease.Take},
		"released for me":                          {monitorlease.View{Behind: "old", Lease: released("me")}, monitorlease.Take},
		"released without a successor":             {monitorlease.View{Behind: "old", Lease: released("")}, monitorlease.Take},
		"released for a twin":                      {monitorlease.View{Behind: "old", Lease: released("twin")}, monitorlease.Wait},
		"released for a twin that has died":        {monitorlease.View{Behind: "old", Lease: released("twin"), Unchanged: c.Patience}, monitorlease.Take},
		"who I wait for renews":                    {monitorlease.View{Behind: "old", Lease: held, Alive: true}, monitorlease.Claim},
		"the twin has taken it":                    {monitorlease.View{Behind: "older", Lease: held}, monitorlease.Wait},
		"the twin has taken it and lives":          {monitorlease.View{Behind: "older", Lease: held, Alive: true}, monitorlease.Leave},
		"my successor has taken it":                {monitorlease.View{Behind: "me", Lease: held}, monitorlease.Wait},
		"my successor has taken it and lives":      {monitorlease.View{Behind: "me", Lease: held, Alive: true}, monitorlease.Leave},
		"my successor has taken it and died":       {monitorlease.View{Behind: "me", Lease: held, Unchanged: silent}, monitorlease.Take},
		"my successor has failed":                  {monitorlease.View{Behind: "me", Lease: released("")}, monitorlease.Take},
		"my successor has failed, having lived":    {monitorlease.View{Behind: "me", Lease: released(""), Alive: true}, monitorlease.Take},
		"my successor yields already":              {monitorlease.View{Behind: "me", Lease: released("new"), Alive: true}, monitorlease.Wait},
		"my take's answer was lost":                {monitorlease.View{Behind: "old", Lease: mine}, monitorlease.Take},
		"I work":                                   {monitorlease.View{Working: true, Behind: "me", Lease: mine}, monitorlease.Keep},
		"I work, and another waits":                {monitorlease.View{Working: true, Behind: "me", Lease: by(claimed("new"))}, monitorlease.Yield},
		"I work, and another has taken it":         {monitorlease.View{Working: true, Behind: "me", Lease: held}, monitorlease.Leave},
		"I work, and another has it released":      {monitorlease.View{Working: true, Behind: "me", Lease: by(released(""))}, monitorlease.Leave},
		"my work has lapsed":                       {monitorlease.View{Behind: "me", Lease: mine}, monitorlease.Take},
		"my work has lapsed, and another waits":    {monitorlease.View{Behind: "me", Lease: by(claimed("new"))}, monitorlease.Yield},
		"I have released it":                       {monitorlease.View{Behind: "me", Lease: by(released("new"))}, monitorlease.Wait},
		"I have released it for one that died":     {monitorlease.View{Behind: "me", Lease: by(released("new")), Unchanged: c.Patience}, monitorlease.Take},
		"I have released it for one that withdrew": {monitorlease.View{Behind: "me", Lease: by(released(""))}, monitorlease.Take},
	} {
		t.Run(name, func(t *testing.T) {
			x.v.Me = "me"
			require.Equal(t, x.want, monitorlease.Decide(x.v, c))
		})
	}
}

func TestWatchCountsTheHoldersSilence(t *testing.T) {
	at := func(s int) lease.Instant { return time.Duration(s) * time.Second }
	var w monitorlease.Watch
	held := monitorlease.Lease{Holder: "old", Number: 7, Beat: 3}
	w.Observe(held, at(0), at(0))
	require.Equal(t, 2*time.Second, w.Unchanged(at(2)))

	claimed := held
	claimed.Next = "new"
	w.Observe(claimed, at(2), at(2))
	require.False(t, w.Alive(at(2), time.Minute))
	require.Equal(t, 3*time.Second, w.Unchanged(at(3)), "a claim is not the holder's word")

	renewed := claimed
	renewed.Beat++
	w.Observe(renewed, at(3), at(3))
	require.Zero(t, w.Unchanged(at(3)))
	require.True(t, w.Alive(at(3), time.Second))
	require.False(t, w.Alive(at(3), time.Second-1), "it may have renewed right after the look at 2 s")

	released := renewed
	released.Released = true
	w.Observe(released, at(5), at(5))
	require.Equal(t, time.Second, w.Unchanged(at(6)))

	w.Observe(monitorlease.Lease{Holder: "new", Number: 8, Beat: renewed.Beat}, at(7), at(7))
	require.Zero(t, w.Unchanged(at(7)))
	require.False(t, w.Alive(at(7), time.Minute), "of this holder nothing has been seen but the take")
}

func TestWatchBoundsTheGap(t *testing.T) {
	at := func(s int) lease.Instant { return time.Duration(s) * time.Second }
	var w monitorlease.Watch
	held := monitorlease.Lease{Holder: "old", Number: 7, Beat: 3}
	w.Observe(held, at(0), at(1))
	require.Equal(t, 5*time.Second, w.Gap(at(5)), "what came before the first look is not known")
	w.Observe(held, at(2), at(3))
	claimed := held
	claimed.Next = "new"
	w.Observe(claimed, at(4), at(5))
	require.Equal(t, 6*time.Second, w.Gap(at(6)), "a claim is not the holder's word")

	released := claimed
	released.Released = true
	w.Observe(released, at(6), at(7))
	require.Equal(t, 3*time.Second, w.Gap(at(7)), "it was not released yet at the look of 4 s")
	w.Observe(released, at(8), at(9))
	require.Equal(t, 5*time.Second, w.Gap(at(9)))
}
