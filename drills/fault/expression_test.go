package fault_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/fault"
)

func TestWhatAnExpressionComesTo(t *testing.T) {
	for text, want := range map[string]string{
		"all(kill(us-east-1), blackout(us-west-2))":                            "kill(us-east-1)@0s + blackout(us-west-2)@0s",
		"all( kill( us-east-1 )@1s , none )":                                   "kill(us-east-1)@1s + none@0s",
		"sequence(2s, kill(us-east-1), kill(us-west-2), kill(us-east-2)@-1s)":  "kill(us-east-1)@0s + kill(us-west-2)@2s + kill(us-east-2)@3s",
		"after(90s, kill(us-east-1)@-30s for 5s)":                              "kill(us-east-1)@1m0s for 5s",
		"after(1s, kill(us-east-1) + kill(us-west-2)@2s)@10s":                  "kill(us-east-1)@11s + kill(us-west-2)@13s",
		"flap(1s, 5s, 3, kill(us-east-1))":                                     "kill(us-east-1)@0s for 1s + kill(us-east-1)@5s for 1s + kill(us-east-1)@10s for 1s",
		"flap(2s, 5s, 2, all(kill(us-east-1), blackout(us-west-2)@1s))@-3s":    "kill(us-east-1)@-3s for 2s + blackout(us-west-2)@-2s for 1s + kill(us-east-1)@2s for 2s + blackout(us-west-2)@3s for 1s",
		"sequence(1s, kill(us-east-1), kill(us-west-2) for 10s)@4s for 3s":     "kill(us-east-1)@4s for 3s + kill(us-west-2)@5s for 2s",
		"service(us-east-1,dynamodb,refuse) for 5s":                            "service(us-east-1,dynamodb,refuse)@0s for 5s",
		"replication-lag(us-east-1,us-west-2,5s)@-10s+blackout(us-east-1)":     "replication-lag(us-east-1,us-west-2,5s)@-10s + blackout(us-east-1)@0s",
		"all(sequence(1s, after(1s, flap(1s, 2s, 1, kill(us-east-1)))@1s))@1s": "kill(us-east-1)@3s for 1s",
	} {
		t.Run(text, func(t *testing.T) {
			got, err := fault.ParsePlan(text)
			require.NoError(t, err)
			require.NoError(t, got.Validate())
			require.Equal(t, want, got.String())
			back, err := fault.ParsePlan(want)
			require.NoError(t, err)
			require.Equal(t, got, back)
		})
	}
}

func TestAnExpressionSaysWhatIsWrongAndWhere(t *testing.T) {
	for text, want := range map[string]string{
		"blackout(us-east-1)@later":            `position 21: offset "later" of blackout(us-east-1): write it like -8s or 500ms`,
		"blackout(us-east-1)@1s for ever":      `position 28: length "ever" of blackout(us-east-1): write it like 5s, above zero`,
		"kill(us-east-1) for -1s":              `position 21: length "-1s" of kill(us-east-1)`,
		"blackout(us-east-1) + ":               `position 23: fault: parse "": kind "" is not known: use one of none, blackout(region)`,
		"":                                     `position 1: fault: parse ""`,
		"kill(us-east-1) + kil(us-west-2)":     `position 19: fault: parse "kil(us-west-2)": kind "kil" is not known`,
		"all(kill(us-east-1), blackout(mars))": `position 22: fault: parse "blackout(mars)": fault: blackout: region is "mars"`,
		"kill(us-east-1) blackout(us-west-2)":  `position 17: "blackout(us-west-2)": use + between faults`,
		"kill(us-east-1)@1s@2s":                `position 17: offset "1s@2s" of kill(us-east-1)`,
		"kill(us-east-1":                       `position 1: fault: parse "kill(us-east-1": the closing parenthesis is missing`,
		"all":                                  `position 4: all has no arguments: write it like all(a, b)`,
		"all(kill(us-east-1)":                  `position 1: all: its closing parenthesis is missing`,
		"all()":                                `position 5: fault: parse "": kind "" is not known`,
		"sequence(kill(us-east-1), kill(us-west-2))": `position 10: sequence: "kill(us-east-1" is no duration above zero`,
		"sequence(2s)":                                                 `position 10: sequence: "2s" is no duration above zero and up to 1000h0m0s with something behind it: write it like sequence(2s, a, b)`,
		"after(0s, kill(us-east-1))":                                   `position 7: after: "0s" is no duration above zero`,
		"after(1s, kill(us-east-1), kill(us-west-2))":                  `position 1: after takes one part, got 2: write it like after(2s, a)`,
		"flap(5s, 5s, 3, kill(us-east-1))":                             `position 1: flap: it lasts 5s of every 5s: it must last less, or it never heals`,
		"flap(1s, 5s, 0, kill(us-east-1))":                             `position 14: flap: "0" is no number of times above zero`,
		"flap(1s, 5s, many, kill(us-east-1))":                          `position 14: flap: "many" is no number of times above zero`,
		"flap(1s, 5s, 3, kill(us-east-1)@0s + none@2s)":                `position 1: flap: none@2s begins when the whole of it has ended, after 1s`,
		"flap(1s, 5s, 3, kill(us-east-1), kill(us-west-2))":            `position 1: flap takes one part, got 2`,
		"flap(1s, 2s, 10001, kill(us-east-1))":                         `position 14: flap: more than 10000 steps`,
		"flap(1h, 2h, 600, kill(us-east-1))":                           `position 1: flap: 600 times every 2h0m0s take longer than 1000h0m0s`,
		"sequence(600h, kill(us-east-1), kill(us-west-2))":             `position 1: sequence: 2 parts every 600h0m0s take longer than`,
		"kill(us-east-1)@1001h":                                        `position 17: offset "1001h" of kill(us-east-1): write it like -8s or 500ms, up to 1000h0m0s`,
		"kill(us-east-1) for 2000h":                                    `position 21: length "2000h"`,
		"sequence(1s, kill(us-east-1), none@9s) for 5s":                `position 44: none@10s begins when the whole of it has ended, after 5s`,
		strings.Repeat("all(", 21) + "none":                            `position 81: more than 20 words in each other: write it flatter`,
		"all(" + strings.Repeat("flap(1s,2s,9999,none),", 3) + "none)": `29998 steps: use 10000 at most`,
	} {
		t.Run(text, func(t *testing.T) {
			_, err := fault.ParsePlan(text)
			require.ErrorContains(t, err, want)
			require.ErrorContains(t, err, "fault: plan ")
		})
	}
}

func FuzzParsePlan(f *testing.F) {
	f.Add("replication-lag(us-east-1,us-west-2,5s)@-8s + blackout(us-east-1)@0s")
	f.Add("none")
	f.Add("kill(us-east-1)@1h2m")
	f.Add("sequence(2s, all(kill(us-east-1), blackout(us-east-1)@-1s for 3s), after(1s, none))@1s for 1m + flap(1s, 5s, 3, kill(us-west-2))")
	f.Fuzz(func(t *testing.T, text string) {
		first, err := fault.ParsePlan(text)
		if err != nil {
			return
		}
		require.NoError(t, first.Validate())
		second, err := fault.ParsePlan(first.String())
		require.NoError(t, err)
		require.Equal(t, first, second)
	})
}
