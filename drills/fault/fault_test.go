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
		"service(us-east-1,dynamodb,refuse)": {
			Kind: fault.Dependency, Region: "us-east-1", Service: fault.DynamoDB, How: fault.Refuse},
		"service(us-east-1,dynamodb.UpdateItem,lose)": {
			Kind: fault.Dependency, Region: "us-east-1", Service: "dynamodb.UpdateItem", How: fault.Lose},
		"service(everywhere,sns,slow,1.5s)": {
			Kind: fault.Dependency, Region: fault.Everywhere, Service: fault.SNS, How: fault.Slow, Duration: 1500 * time.Millisecond},
		"database(us-east-1,commits-slow,2s)": {
			Kind: fault.Database, Region: "us-east-1", How: fault.CommitsSlow, Duration: 2 * time.Second},
		"database(us-east-1,error-3)":   {Kind: fault.Database, Region: "us-east-1", How: "error-3"},
		"promotion(us-west-2,endless)":  {Kind: fault.Promotion, Region: "us-west-2", How: fault.Endless},
		"console(us-west-2,switchover)": {Kind: fault.Console, Region: "us-west-2", How: fault.Switchover},
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
		"service(us-east-1,ec2,refuse)":             `service is "ec2": use one of [dynamodb`,
		"service(us-east-1,dynamodb.,lose)":         `service is "dynamodb.": use one of [dynamodb`,
		"service(us-east-1,dynamodb.put,lose)":      `service is "dynamodb.put": use one of [dynamodb`,
		"service(us-east-1,dynamodb,explode)":       `way to show is "explode": use one of [refuse`,
		"service(us-east-1,dynamodb,refuse,1s)":     "takes 3 arguments, got 4",
		"service(us-east-1,dynamodb,slow)":          "takes 4 arguments, got 3",
		"service(us-east-1,dynamodb,slow,0s)":       "duration is 0s: use one above zero",
		"service(nowhere,dynamodb,hang)":            `region is "nowhere"`,
		"database(everywhere,full)":                 `region is "everywhere"`,
		"database(us-east-1,error-0)":               `way to show is "error-0"`,
		"database(us-east-1,error-65536)":           `way to show is "error-65536"`,
		"console(us-east-1)":                        "takes 2 arguments, got 1",
		"promotion(us-west-2,slow)":                 `way to show is "slow"`,
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
	require.Len(t, fault.Kinds(), 21)
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

// Every way in which a kind shows prints, and parses back.
func TestEveryHowPrintsBack(t *testing.T) {
	n := 0
	for _, k := range fault.Kinds() {
		for _, h := range fault.Hows(k) {
			f := fault.Fault{Kind: k, Region: "us-east-1", How: h}
			if k == fault.Dependency {
				f.Service = fault.RDS
			}
			if f.Validate() != nil {
				f.Duration = time.Second
			}
			require.NoError(t, f.Validate())
			again, err := fault.Parse(f.String())
			require.NoError(t, err)
			require.Equal(t, f, again)
			n++
		}
	}
	require.Equal(t, 23, n)
	require.Equal(t, uint16(1021), fault.DiskFull.MySQLError())
	require.Zero(t, fault.Full.MySQLError())
}

func FuzzParse(f *testing.F) {
	f.Add("blackout(us-east-1)")
	f.Add("replication-lag(us-east-1,us-west-2,1.5s)")
	f.Add("cut-link(us-east-1, us-west-2)")
	f.Add("none()")
	f.Add("cold-start(us-east-1,1s)")
	f.Add("kill-steps(us-west-2)")
	f.Add("service(everywhere,dynamodb,slow,270ms)")
	f.Add("service(us-east-1,dynamodb.UpdateItem,lose)")
	f.Add("database(us-east-1,error-1021)")
	f.Add("promotion(us-west-2,headless)")
	f.Add("console(us-west-2,switchover)")
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
