package fault_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/fault"
)

func TestParsePrintsBack(t *testing.T) {
	for text, want := range map[string]fault.Fault{
		"none":                            {Kind: fault.None},
		"blackout(us-east-1)":             {Kind: fault.Blackout, Region: "us-east-1"},
		"kill(us-east-1)":                 {Kind: fault.Kill, Region: "us-east-1"},
		"freeze-database(us-gov-west-1)":  {Kind: fault.FreezeDatabase, Region: "us-gov-west-1"},
		"isolate(us-east-1)":              {Kind: fault.Isolate, Region: "us-east-1"},
		"cut-link(us-east-1,us-west-2)":   {Kind: fault.CutLink, Region: "us-east-1", Peer: "us-west-2"},
		"kill-controller(ap-southeast-2)": {Kind: fault.KillController, Region: "ap-southeast-2"},
		"throttle-rds(us-west-2,10s)":     {Kind: fault.ThrottleRDS, Region: "us-west-2", Duration: 10 * time.Second},
		"kill-monitor(us-east-1)":         {Kind: fault.KillMonitor, Region: "us-east-1"},
		"stop-monitor(us-east-1)":         {Kind: fault.StopMonitor, Region: "us-east-1"},
		"kill-steps(us-west-2)":           {Kind: fault.KillSteps, Region: "us-west-2"},
		"lose-ticks(us-east-2)":           {Kind: fault.LoseTicks, Region: "us-east-2"},
		"double-ticks(us-east-2)":         {Kind: fault.DoubleTicks, Region: "us-east-2"},
		"double-trigger(us-west-2)":       {Kind: fault.DoubleTrigger, Region: "us-west-2"},
		"cold-start(us-west-2,1.5s)":      {Kind: fault.ColdStart, Region: "us-west-2", Duration: 1500 * time.Millisecond},
		"lambda-down(us-east-1)":          {Kind: fault.LambdaDown, Region: "us-east-1"},
		"replication-lag(us-east-1,us-west-2,5s)": {
			Kind: fault.ReplicationLag, Region: "us-east-1", Peer: "us-west-2", Duration: 5 * time.Second},
	} {
		t.Run(text, func(t *testing.T) {
			got, err := fault.Parse(text)
			require.NoError(t, err)
			require.Equal(t, want, got)
			require.Equal(t, text, got.String())
		})
	}
}

func TestParseForgivesSpaces(t *testing.T) {
	got, err := fault.Parse("  replication-lag ( us-east-1 , us-west-2 , 1m30s ) ")
	require.NoError(t, err)
	require.Equal(t, "replication-lag(us-east-1,us-west-2,1m30s)", got.String())
}

func TestParseSaysWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		"":                                          `kind "" is not known: use one of none, blackout(region)`,
		"meteor(us-east-1)":                         `kind "meteor" is not known`,
		"blackout":                                  "takes 1 arguments, got 0",
		"blackout(us-east-1,us-west-2)":             "takes 1 arguments, got 2",
		"blackout(us-east-1":                        "closing parenthesis",
		"blackout(us-east-1)x":                      "closing parenthesis",
		"blackout(mars)":                            `region is "mars": use a Region's code`,
		"none(us-east-1)":                           "takes 0 arguments, got 1",
		"cut-link(us-east-1,us-east-1)":             "region and peer are both us-east-1",
		"replication-lag(us-east-1,us-west-2)":      "takes 3 arguments, got 2",
		"replication-lag(us-east-1,us-west-2,)":     "duration is 0s: use one above zero",
		"replication-lag(us-east-1,us-west-2,soon)": `duration "soon": write it like 5s`,
		"replication-lag(us-east-1,us-west-2,-1s)":  "duration is -1s: use one above zero",
		"cold-start(us-east-1)":                     "takes 2 arguments, got 1",
		"throttle-rds(us-east-1,0s)":                "duration is 0s: use one above zero",
		"lambda-down(us-east-1,1s)":                 "takes 1 arguments, got 2",
		"stop-monitor":                              `takes 1 arguments, got 0`,
	} {
		t.Run(text, func(t *testing.T) {
			_, err := fault.Parse(text)
			require.ErrorContains(t, err, want)
		})
	}
}

func TestValidateReportsEverything(t *testing.T) {
	err := fault.Fault{Kind: fault.Blackout, Region: "x", Peer: "us-west-2", Duration: time.Second}.Validate()
	require.ErrorContains(t, err, `region is "x"`)
	require.ErrorContains(t, err, `takes no peer, got "us-west-2"`)
	require.ErrorContains(t, err, "takes no duration, got 1s")
}

func TestEveryKindIsKnownToParse(t *testing.T) {
	require.Len(t, fault.Kinds(), 17)
	seen := make(map[fault.Kind]bool)
	for _, k := range fault.Kinds() {
		require.False(t, seen[k], "%s is listed twice", k)
		seen[k] = true
		_, err := fault.Parse(string(k))
		if err != nil {
			require.NotContains(t, err.Error(), "is not known")
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("blackout(us-east-1)")
	f.Add("replication-lag(us-east-1,us-west-2,1.5s)")
	f.Add("cut-link(us-east-1, us-west-2)")
	f.Add("none()")
	f.Add("cold-start(us-east-1,1s)")
	f.Add("kill-steps(us-west-2)")
	f.Fuzz(func(t *testing.T, text string) {
		first, err := fault.Parse(text)
		if err != nil {
			return
		}
		require.NoError(t, first.Validate())
		second, err := fault.Parse(first.String())
		require.NoError(t, err)
		require.Equal(t, first, second)
	})
}
