package simulation_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/simulation"
)

// Every drawn world is one that a deployment would accept, and reads back from its text.
func TestAWorldReadsBack(t *testing.T) {
	for seed := range uint64(500) {
		w := simulation.Draw(seed)
		again, err := simulation.Parse(w.String())
		require.NoError(t, err, w)
		require.Equal(t, w, again)
	}
}

func TestAWorldIsReadStrictly(t *testing.T) {
	const whole = `{"what":"why","seed":1,"plan":"none","policy":{},"tick":"10s","patience":"3s"}`
	_, err := simulation.Parse(whole)
	require.NoError(t, err)
	for text, says := range map[string]string{
		``:            "EOF",
		whole + whole: "more than one object",
		`{"sead":1}`:  "sead",
		`{"seed":-1}`: "seed",
		`{"seed":1,"plan":"none","tick":"10s","patience":"3s"}`:                                      "policy is missing",
		`{"plan":"none","policy":{},"tick":"10s","patience":"3s"}`:                                   "seed or",
		`{"seed":1,"plan":"none","policy":{},"tick":"10s"}`:                                          `patience ""`,
		`{"seed":1,"plan":"none","policy":{},"tick":"0s","patience":"3s"}`:                           `tick "0s"`,
		`{"seed":1,"plan":"","policy":{},"tick":"10s","patience":"3s"}`:                              "plan",
		`{"seed":1,"plan":"none","policy":{"confirm":1},"tick":"10s","patience":"3s"}`:               "Confirm 1",
		`{"seed":1,"plan":"blackout(us-east-1)@1s for -1s","policy":{},"tick":"1s","patience":"3s"}`: "length",
	} {
		got, err := simulation.Parse(text)
		require.ErrorContains(t, err, says, text)
		require.Zero(t, got)
	}
}

// FuzzWorld reads any text: it is an error, or a world that reads back.
func FuzzWorld(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(simulation.Draw(seed).String())
	}
	f.Add(`{"what":"why","seed":126,"plan":"freeze-database(us-east-1)@4m2.67s for 1m15.609s","policy":{"rpo_guard":true},"tick":"10s","patience":"3s"}`)
	f.Fuzz(func(t *testing.T, text string) {
		w, err := simulation.Parse(text)
		if err != nil {
			require.Zero(t, w)
			return
		}
		again, err := simulation.Parse(w.String())
		require.NoError(t, err)
		require.Equal(t, w, again)
	})
}
