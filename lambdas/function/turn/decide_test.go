package turn_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/turn"
)

func TestDecide(t *testing.T) {
	c := turn.Config{}.WithDefaults()
	silent := c.TTL + c.Drift
	held := turn.Turn{Region: "us-east-1", Holder: "old", Number: 7, Beat: 3}
	with := func(change func(*turn.Turn)) turn.Turn {
		t := held
		change(&t)
		return t
	}
	claimed := func(by string) turn.Turn { return with(func(t *turn.Turn) { t.Next = by }) }
	released := func(next string) turn.Turn {
		return with(func(t *turn.Turn) { t.Next, t.Released = next, true })
	}
	mine := with(func(t *turn.Turn) { t.Holder = "me" })
	by := func(t turn.Turn) turn.Turn { t.Holder = "me"; return t }

	for name, x := range map[string]struct {
		v    turn.View
		want turn.Step
	}{
		"nobody ever had it":                       {turn.View{}, turn.Take},
		"somebody works":                           {turn.View{Behind: "old", Turn: held}, turn.Claim},
		"somebody works and is nearly silent":      {turn.View{Behind: "old", Turn: held, Unchanged: silent - 1}, turn.Claim},
		"I have claimed it":                        {turn.View{Behind: "old", Turn: claimed("me")}, turn.Wait},
		"a doubled tick":                           {turn.View{Behind: "old", Turn: claimed("twin")}, turn.Wait},
		"silent, and I wait":                       {turn.View{Behind: "old", Turn: claimed("me"), Unchanged: silent}, turn.Take},
		"silent, and nearly so long":               {turn.View{Behind: "old", Turn: claimed("me"), Unchanged: silent - 1}, turn.Wait},
		"silent, and nobody waits":                 {turn.View{Behind: "old", Turn: held, Unchanged: silent}, turn.Take},
		"silent, and a twin waits":                 {turn.View{Behind: "old", Turn: claimed("twin"), Unchanged: silent}, turn.Take},
		"released for me":                          {turn.View{Behind: "old", Turn: released("me")}, turn.Take},
		"released for nobody":                      {turn.View{Behind: "old", Turn: released("")}, turn.Take},
		"released for a twin":                      {turn.View{Behind: "old", Turn: released("twin")}, turn.Wait},
		"released for a twin that has died":        {turn.View{Behind: "old", Turn: released("twin"), Unchanged: c.Patience}, turn.Take},
		"who I wait for renews":                    {turn.View{Behind: "old", Turn: held, Alive: true}, turn.Claim},
		"the twin has taken it":                    {turn.View{Behind: "older", Turn: held}, turn.Wait},
		"the twin has taken it and lives":          {turn.View{Behind: "older", Turn: held, Alive: true}, turn.Leave},
		"my successor has taken it":                {turn.View{Behind: "me", Turn: held}, turn.Wait},
		"my successor has taken it and lives":      {turn.View{Behind: "me", Turn: held, Alive: true}, turn.Leave},
		"my successor has taken it and died":       {turn.View{Behind: "me", Turn: held, Unchanged: silent}, turn.Take},
		"my successor has failed":                  {turn.View{Behind: "me", Turn: released("")}, turn.Take},
		"my successor has failed, having lived":    {turn.View{Behind: "me", Turn: released(""), Alive: true}, turn.Take},
		"my successor yields already":              {turn.View{Behind: "me", Turn: released("new"), Alive: true}, turn.Wait},
		"my take's answer was lost":                {turn.View{Behind: "old", Turn: mine}, turn.Take},
		"I work":                                   {turn.View{Working: true, Behind: "me", Turn: mine}, turn.Keep},
		"I work, and somebody waits":               {turn.View{Working: true, Behind: "me", Turn: by(claimed("new"))}, turn.Yield},
		"I work, and another has taken it":         {turn.View{Working: true, Behind: "me", Turn: held}, turn.Leave},
		"I work, and somebody has it released":     {turn.View{Working: true, Behind: "me", Turn: by(released(""))}, turn.Leave},
		"my work has lapsed":                       {turn.View{Behind: "me", Turn: mine}, turn.Take},
		"my work has lapsed, and somebody waits":   {turn.View{Behind: "me", Turn: by(claimed("new"))}, turn.Yield},
		"I have released it":                       {turn.View{Behind: "me", Turn: by(released("new"))}, turn.Wait},
		"I have released it for one that died":     {turn.View{Behind: "me", Turn: by(released("new")), Unchanged: c.Patience}, turn.Take},
		"I have released it for one that withdrew": {turn.View{Behind: "me", Turn: by(released(""))}, turn.Take},
	} {
		t.Run(name, func(t *testing.T) {
			x.v.Me = "me"
			require.Equal(t, x.want, turn.Decide(x.v, c))
		})
	}
}

func TestWatchCountsTheHoldersSilence(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(1000, 0).Add(time.Duration(s) * time.Second) }
	var w turn.Watch
	held := turn.Turn{Holder: "old", Number: 7, Beat: 3}
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

	w.Observe(turn.Turn{Holder: "new", Number: 8, Beat: renewed.Beat}, at(7), at(7))
	require.Zero(t, w.Unchanged(at(7)))
	require.False(t, w.Alive(at(7), time.Minute), "of this holder nothing has been seen but the take")
}

func TestWatchBoundsTheGap(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(1000, 0).Add(time.Duration(s) * time.Second) }
	var w turn.Watch
	held := turn.Turn{Holder: "old", Number: 7, Beat: 3}
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
