package dr_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

const (
	ms = time.Millisecond
	s  = time.Second
	m  = time.Minute
	h  = time.Hour
)

// roomy is a policy that leaves every single field room up to its own bounds.
func roomy() dr.Policy {
	return dr.Policy{Objectives: dr.Objectives{RTO: h, RPO: 5 * m, OwnShare: h}, FailoverWindow: 168 * h, EffectTimeout: h}
}

// Every bound from both sides: the last value that passes, and the next one, which is
// refused by name.
func TestEveryFieldHasBothBounds(t *testing.T) {
	type p = dr.Policy
	for _, c := range []struct {
		field     string
		with      func(*p) // what else the value needs
		set       func(*p, time.Duration)
		good, bad time.Duration
	}{
		{"Objectives.RTO", nil, func(p *p, d time.Duration) { p.Objectives.RTO, p.Objectives.OwnShare = d, min(d, h) }, h, h + 1},
		{"Objectives.RTO", func(p *p) { p.Objectives.OwnShare = 20 * s; p.InRegionGrace = s }, func(p *p, d time.Duration) { p.Objectives.RTO = d }, 20 * s, s - 1},
		{"Objectives.RPO", nil, func(p *p, d time.Duration) { p.Objectives.RPO = d }, 5 * m, 5*m + 1},
		{"Objectives.RPO", func(p *p) { p.MaxDataLoss = 10 * ms }, func(p *p, d time.Duration) { p.Objectives.RPO = d }, 10 * ms, 10*ms - 1},
		{"Objectives.OwnShare", nil, func(p *p, d time.Duration) { p.Objectives.OwnShare = d }, h, h + 1},
		{"ProbeInterval", func(p *p) { p.MaxLagAge = m }, func(p *p, d time.Duration) { p.ProbeInterval = d }, 30 * s, 30*s + 1},
		{"ProbeInterval", func(p *p) { p.ProbeTimeout = 400 * ms }, func(p *p, d time.Duration) { p.ProbeInterval = d }, 500 * ms, 500*ms - 1},
		{"ProbeTimeout", nil, func(p *p, d time.Duration) { p.ProbeTimeout = d }, 2*s - 1, 2 * s},
		{"ProbeTimeout", nil, func(p *p, d time.Duration) { p.ProbeTimeout = d }, 100 * ms, 100*ms - 1},
		{"InRegionGrace", nil, func(p *p, d time.Duration) { p.InRegionGrace = d }, 5 * m, 3 * h},
		{"InRegionGrace", func(p *p) { p.Objectives.RTO, p.Objectives.OwnShare = 40*s, 20*s }, func(p *p, d time.Duration) { p.InRegionGrace = d }, 30250 * ms, 30250*ms + 1},
		{"ControlInterval", nil, func(p *p, d time.Duration) { p.ControlInterval = d }, 5 * m, 5*m + 1},
		{"ControlInterval", nil, func(p *p, d time.Duration) { p.ControlInterval = d }, 2 * s, 2*s - 1},
		{"LeaseTTL", func(p *p) { p.LeaseMargin = 20 * s }, func(p *p, d time.Duration) { p.LeaseTTL = d }, m, 10 * m},
		{"LeaseTTL", func(p *p) {
			p.LeaseMargin, p.CallTimeout, p.RenewInterval = 300*ms, 500*ms, 200*ms
			p.ObserveInterval = 200 * ms
		}, func(p *p, d time.Duration) { p.LeaseTTL = d }, s, s - 1},
		{"LeaseMargin", nil, func(p *p, d time.Duration) { p.LeaseMargin = d }, 3 * s, 3*s + 1},
		{"LeaseMargin", nil, func(p *p, d time.Duration) { p.LeaseMargin = d }, 600 * ms, 600*ms - 1},
		{"LeaseDrift", nil, func(p *p, d time.Duration) { p.LeaseDrift = d }, 6 * s, 6*s + 1},
		{"LeaseDrift", nil, func(p *p, d time.Duration) { p.LeaseDrift = d }, 12 * ms, 12*ms - 1},
		{"RenewInterval", nil, func(p *p, d time.Duration) { p.RenewInterval = d }, 1500 * ms, 1500*ms + 1},
		{"RenewInterval", nil, func(p *p, d time.Duration) { p.RenewInterval = d }, 50 * ms, 50*ms - 1},
		{"ObserveInterval", nil, func(p *p, d time.Duration) { p.ObserveInterval = d }, 1500 * ms, 1500*ms + 1},
		{"ObserveInterval", nil, func(p *p, d time.Duration) { p.ObserveInterval = d }, 20 * ms, 20*ms - 1},
		{"MaxDataLoss", nil, func(p *p, d time.Duration) { p.MaxDataLoss = d }, 5 * m, 100 * h},
		{"MaxDataLoss", func(p *p) { p.Objectives.RPO = 2 * s }, func(p *p, d time.Duration) { p.MaxDataLoss = d }, 2 * s, 2*s + 1},
		{"MaxDataLoss", nil, func(p *p, d time.Duration) { p.MaxDataLoss = d }, 10 * ms, 10*ms - 1},
		{"MaxLagAge", nil, func(p *p, d time.Duration) { p.MaxLagAge = d }, m, m + 1},
		{"MaxLagAge", nil, func(p *p, d time.Duration) { p.MaxLagAge = d }, 2 * s, 2*s - 1},
		{"CallTimeout", nil, func(p *p, d time.Duration) { p.CallTimeout = d }, 6*s - 1, 6 * s},
		{"CallTimeout", func(p *p) { p.LeaseTTL, p.LeaseMargin = m, 20*s }, func(p *p, d time.Duration) { p.CallTimeout = d }, 10 * s, 10*s + 1},
		{"CallTimeout", nil, func(p *p, d time.Duration) { p.CallTimeout = d }, 100 * ms, 100*ms - 1},
		{"PollInterval", nil, func(p *p, d time.Duration) { p.PollInterval = d }, 10 * s, 10*s + 1},
		{"PollInterval", nil, func(p *p, d time.Duration) { p.PollInterval = d }, 10 * ms, 10*ms - 1},
		{"EffectTimeout", nil, func(p *p, d time.Duration) { p.EffectTimeout = d }, h, 5 * 8766 * h},
		{"EffectTimeout", nil, func(p *p, d time.Duration) { p.EffectTimeout = d }, 6501 * ms, 6500 * ms},
		{"EffectTimeout", nil, func(p *p, d time.Duration) { p.EffectTimeout = d }, 10 * s, 1},
		{"EndpointTTL", nil, func(p *p, d time.Duration) { p.EndpointTTL = d }, 5 * m, 2 * h},
		{"EndpointTTL", nil, func(p *p, d time.Duration) { p.EndpointTTL = d }, ms, ms - 1},
		{"FailoverWindow", nil, func(p *p, d time.Duration) { p.FailoverWindow = d }, 168 * h, 2 * 8766 * h},
		{"FailoverWindow", func(p *p) { p.Objectives.RTO, p.Objectives.OwnShare = m, m }, func(p *p, d time.Duration) { p.FailoverWindow = d }, m, m - 1},
	} {
		t.Run(fmt.Sprintf("%s %v", c.field, c.bad), func(t *testing.T) {
			policy := roomy()
			if c.with != nil {
				c.with(&policy)
			}
			c.set(&policy, c.good)
			require.NoError(t, policy.Validate(), "%v is within", c.good)
			c.set(&policy, c.bad)
			require.ErrorContains(t, policy.Validate(), "dr: policy: "+c.field+" ")
			require.ErrorContains(t, policy.Validate(), ": ")
		})
	}
	for _, c := range []struct {
		field     string
		set       func(*p, int)
		good, bad int
	}{
		{"Confirm", func(p *p, n int) { p.Confirm = n }, 10, 1000},
		{"Confirm", func(p *p, n int) { p.Confirm = n }, 10, 11},
		{"Confirm", func(p *p, n int) { p.Confirm = n }, 2, 1},
		{"MinVantages", func(p *p, n int) { p.MinVantages = n }, 3, 4},
		{"MinVantages", func(p *p, n int) { p.MinVantages = n }, 2, 1},
		{"MaxFailovers", func(p *p, n int) { p.MaxFailovers = &n }, 24, 1_000_000},
		{"MaxFailovers", func(p *p, n int) { p.MaxFailovers = &n }, 0, -1},
		{"Clusters", func(p *p, n int) { p.Clusters = n }, 1, -1},
		{"Clusters", func(p *p, n int) { p.Clusters = n }, 1, math.MaxInt},
	} {
		t.Run(fmt.Sprintf("%s %v", c.field, c.bad), func(t *testing.T) {
			policy := roomy()
			c.set(&policy, c.good)
			require.NoError(t, policy.Validate())
			c.set(&policy, c.bad)
			require.ErrorContains(t, policy.Validate(), fmt.Sprintf("%s %d is ", c.field, c.bad))
		})
	}
}

// No field is forgotten above: the smallest and the largest value of each number is
// refused, whatever the others are, and no sum of such values wraps round into a policy
// that passes.
func TestNoFieldIsWithoutBounds(t *testing.T) {
	var walk func(v func(*dr.Policy) reflect.Value, path string)
	try := func(path string, set func(*dr.Policy)) {
		t.Run(path, func(t *testing.T) {
			p := roomy()
			set(&p)
			require.ErrorContains(t, p.Validate(), "dr: policy: "+path)
			require.NotPanics(t, func() { _ = p.Budget().String() })
		})
	}
	walk = func(v func(*dr.Policy) reflect.Value, path string) {
		var p dr.Policy
		for i := range v(&p).NumField() {
			field := func(p *dr.Policy) reflect.Value { return v(p).Field(i) }
			name := path + v(&p).Type().Field(i).Name
			switch field(&p).Kind() {
			case reflect.Struct:
				walk(field, name+".")
			case reflect.Int, reflect.Int64:
				for _, n := range []int64{math.MinInt64, -1, math.MaxInt64, math.MaxInt64 / 2} {
					try(name, func(p *dr.Policy) { field(p).SetInt(n) })
				}
			case reflect.Pointer:
				for _, n := range []int{math.MinInt, -1, math.MaxInt} {
					try(name, func(p *dr.Policy) { field(p).Set(reflect.ValueOf(&n)) })
				}
			case reflect.String:
				try(name, func(p *dr.Policy) { field(p).SetString("hope") })
			case reflect.Bool:
			default:
				require.FailNow(t, "a kind of field that this test doesn't know", name)
			}
		}
	}
	walk(func(p *dr.Policy) reflect.Value { return reflect.ValueOf(p).Elem() }, "")
}

// Without a witness there are two vantages, and a policy that wants three never acts.
func TestValidateForATopology(t *testing.T) {
	with := dr.Topology{GlobalCluster: "ledger", Members: []dr.Region{"us-east-1", "us-west-2"}, Witness: "us-east-2"}
	without := with
	without.Witness = ""
	for n, bad := range map[int][2]bool{2: {false, false}, 3: {false, true}, 4: {true, true}} {
		p := dr.Policy{MinVantages: n}
		for i, top := range []dr.Topology{with, without} {
			err := p.ValidateFor(top)
			if bad[i] {
				require.ErrorContains(t, err, "nothing would ever fail over")
				require.ErrorContains(t, err, fmt.Sprintf("dr: policy: MinVantages %d is above", n))
				require.Equal(t, 1, strings.Count(err.Error(), "\n")+1, "said once")
			} else {
				require.NoError(t, err)
			}
		}
	}
	require.ErrorContains(t, dr.Policy{Confirm: 1, MinVantages: 3}.ValidateFor(without), "Confirm 1")
}

// Each preset passes, is complete, can be overridden, and has the budget that its
// comment states.
func TestPresets(t *testing.T) {
	source, err := os.ReadFile("preset.go")
	require.NoError(t, err)
	for name, p := range map[string]dr.Policy{"fast": dr.Fast(), "normal": dr.Normal(), "cautious": dr.Cautious()} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, p.Validate())
			require.Equal(t, dr.Preset(name), p.Preset)
			require.Equal(t, p, p.WithDefaults())
			for i := range reflect.TypeFor[dr.Policy]().NumField() {
				if f := reflect.ValueOf(p).Field(i); f.Kind() != reflect.Bool {
					require.False(t, f.IsZero(), reflect.TypeFor[dr.Policy]().Field(i).Name)
				}
			}
			doc := string(source)[:strings.Index(string(source), "func "+strings.ToUpper(name[:1])+name[1:]+"()")]
			doc = doc[strings.LastIndex(doc, "\n\n"):]
			require.Contains(t, doc, "//\t"+p.Budget().String()+"\n")
			require.Contains(t, doc, fmt.Sprintf("Together %.4g s beside Aurora's own promotion.", p.Budget().Own().Seconds()))

			var read dr.Policy
			require.NoError(t, json.Unmarshal([]byte(`{"preset":"`+name+`","confirm":5,"objectives":{"own_share":"45s"}}`), &read))
			want := p
			want.Confirm, want.Objectives.OwnShare = 5, 45*s
			require.Equal(t, want, read.WithDefaults(), "the preset, and what overrides it")
			require.NoError(t, read.Validate())
		})
	}
	require.Equal(t, dr.Normal(), dr.DefaultPolicy())
	require.Equal(t, dr.Normal(), dr.Policy{}.WithDefaults())
	require.Less(t, dr.Fast().Budget().Own(), dr.Normal().Budget().Own())
	require.Less(t, dr.Normal().Budget().Own(), dr.Cautious().Budget().Own())
}

// A renewal that is slower by up to 2 s is heard before the last one has run out, whatever
// CallTimeout is, and two of them still leave the fence its margin.
func TestASlowRenewalIsHeard(t *testing.T) {
	for _, p := range []dr.Policy{dr.Normal(), {CallTimeout: 300 * ms}, {LeaseTTL: 12 * s, LeaseMargin: 3 * s}} {
		require.Greater(t, p.RenewalTimeout(), 2*s+100*ms)
	}
	for _, p := range []dr.Policy{dr.Fast(), dr.Normal(), dr.Cautious(), {LeaseTTL: 20 * s, LeaseMargin: 10 * s}} {
		p = p.WithDefaults()
		require.LessOrEqual(t, 2*p.RenewalTimeout(), p.LeaseTTL-p.LeaseMargin)
		require.GreaterOrEqual(t, p.RenewalTimeout(), p.GuardTimeout())
	}
	// The watchdog stops a server whose heartbeat row is not written while a renewal hangs.
	w := dr.Policy{Watchdog: true}
	require.Equal(t, w.GuardTimeout(), w.RenewalTimeout())
	require.Less(t, w.RenewalTimeout(), w.WatchdogAfter())
	require.Equal(t, time.Second, dr.Policy{}.GuardTimeout())
}

// What RDS answers an account bounds how many databases may share it, at which pace.
func TestRDSCalls(t *testing.T) {
	calls := dr.Policy{}.RDSCalls()
	require.Equal(t, "RDS calls a second: 0.10 steady, 3.00 on suspicion, 1.16 while promoting; room for 100 databases, 16 dark at once", calls.String())
	for name, c := range map[string]struct {
		policy    dr.Policy
		good, bad int
	}{
		"default":           {dr.Policy{}, 100, 101},
		"fast":              {dr.Fast(), 100, 101},
		"cautious":          {dr.Cautious(), 100, 101},
		"asked each sample": {dr.Policy{ControlInterval: 2 * s}, 9, 10},
		"asked seldom":      {dr.Policy{ControlInterval: 5 * m}, 250, 251},
		"hasty samples":     {dr.Policy{ProbeInterval: 500 * ms, ProbeTimeout: 400 * ms, InRegionGrace: 60 * s, Objectives: dr.Objectives{RTO: 2 * m}}, 47, 48},
	} {
		t.Run(name, func(t *testing.T) {
			c.policy.Clusters = c.good
			require.NoError(t, c.policy.Validate())
			c.policy.Clusters = c.bad
			require.ErrorContains(t, c.policy.Validate(), fmt.Sprintf("dr: policy: Clusters %d is above %d, for which RDS answers one account", c.bad, c.good))
		})
	}
}
