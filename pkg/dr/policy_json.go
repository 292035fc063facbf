package dr

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// policyJSON is how a Policy is written down: snake case, durations as "1.5s", and
// only what differs from zero, because zero means the default.
type policyJSON struct {
	Preset          Preset          `json:"preset,omitempty"`
	Objectives      *objectivesJSON `json:"objectives,omitempty"`
	Automatic       Automatic       `json:"automatic,omitempty"`
	ProbeInterval   span            `json:"probe_interval,omitempty"`
	ProbeTimeout    span            `json:"probe_timeout,omitempty"`
	Confirm         count           `json:"confirm,omitempty"`
	MinVantages     count           `json:"min_vantages,omitempty"`
	InRegionGrace   span            `json:"in_region_grace,omitempty"`
	ControlInterval span            `json:"control_interval,omitempty"`
	Clusters        count           `json:"clusters,omitempty"`
	LeaseTTL        span            `json:"lease_ttl,omitempty"`
	LeaseMargin     span            `json:"lease_margin,omitempty"`
	LeaseDrift      span            `json:"lease_drift,omitempty"`
	RenewInterval   span            `json:"renew_interval,omitempty"`
	ObserveInterval span            `json:"observe_interval,omitempty"`
	MaxDataLoss     span            `json:"max_data_loss,omitempty"`
	MaxLagAge       span            `json:"max_lag_age,omitempty"`
	RPOGuard        bool            `json:"rpo_guard,omitempty"`
	Watchdog        bool            `json:"watchdog,omitempty"`
	CallTimeout     span            `json:"call_timeout,omitempty"`
	PollInterval    span            `json:"poll_interval,omitempty"`
	EffectTimeout   span            `json:"effect_timeout,omitempty"`
	EndpointTTL     span            `json:"endpoint_ttl,omitempty"`
	MaxFailovers    *int            `json:"max_failovers,omitempty"`
	FailoverWindow  span            `json:"failover_window,omitempty"`
	NoWitness       NoWitness       `json:"no_witness,omitempty"`
}

type objectivesJSON struct {
	RTO      span `json:"rto,omitempty"`
	RPO      span `json:"rpo,omitempty"`
	OwnShare span `json:"own_share,omitempty"`
}

// MarshalJSON writes the policy in snake case, durations as "1.5s". Fields that are
// zero, and so mean their default, are left out.
func (p Policy) MarshalJSON() ([]byte, error) {
	out := policyJSON{
		Preset: p.Preset, Automatic: p.Automatic,
		ProbeInterval: span(p.ProbeInterval), ProbeTimeout: span(p.ProbeTimeout), Confirm: count(p.Confirm), MinVantages: count(p.MinVantages),
		InRegionGrace: span(p.InRegionGrace), ControlInterval: span(p.ControlInterval), Clusters: count(p.Clusters),
		LeaseTTL: span(p.LeaseTTL), LeaseMargin: span(p.LeaseMargin), LeaseDrift: span(p.LeaseDrift),
		RenewInterval: span(p.RenewInterval), ObserveInterval: span(p.ObserveInterval), MaxDataLoss: span(p.MaxDataLoss), MaxLagAge: span(p.MaxLagAge),
		RPOGuard: p.RPOGuard, Watchdog: p.Watchdog, CallTimeout: span(p.CallTimeout), PollInterval: span(p.PollInterval),
		EffectTimeout: span(p.EffectTimeout), EndpointTTL: span(p.EndpointTTL), MaxFailovers: p.MaxFailovers,
		FailoverWindow: span(p.FailoverWindow), NoWitness: p.NoWitness,
	}
	if o := p.Objectives; o != (Objectives{}) {
		out.Objectives = &objectivesJSON{span(o.RTO), span(o.RPO), span(o.OwnShare)}
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads what MarshalJSON writes. A key that it doesn't know is an
// error: a misspelt limit would otherwise silently be the default. So is a 0 that would
// become the default; only "max_failovers": 0 has a meaning of its own, which is none.
func (p *Policy) UnmarshalJSON(data []byte) error {
	var in policyJSON
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&in); err != nil {
		return fmt.Errorf("dr: policy: %w", err)
	}
	*p = Policy{
		Preset: in.Preset, Automatic: in.Automatic,
		ProbeInterval: time.Duration(in.ProbeInterval), ProbeTimeout: time.Duration(in.ProbeTimeout), Confirm: int(in.Confirm), MinVantages: int(in.MinVantages),
		InRegionGrace: time.Duration(in.InRegionGrace), ControlInterval: time.Duration(in.ControlInterval), Clusters: int(in.Clusters),
		LeaseTTL: time.Duration(in.LeaseTTL), LeaseMargin: time.Duration(in.LeaseMargin), LeaseDrift: time.Duration(in.LeaseDrift),
		RenewInterval: time.Duration(in.RenewInterval), ObserveInterval: time.Duration(in.ObserveInterval), MaxDataLoss: time.Duration(in.MaxDataLoss), MaxLagAge: time.Duration(in.MaxLagAge),
		RPOGuard: in.RPOGuard, Watchdog: in.Watchdog, CallTimeout: time.Duration(in.CallTimeout), PollInterval: time.Duration(in.PollInterval),
		EffectTimeout: time.Duration(in.EffectTimeout), EndpointTTL: time.Duration(in.EndpointTTL), MaxFailovers: in.MaxFailovers,
		FailoverWindow: time.Duration(in.FailoverWindow), NoWitness: in.NoWitness,
	}
	if o := in.Objectives; o != nil {
		p.Objectives = Objectives{time.Duration(o.RTO), time.Duration(o.RPO), time.Duration(o.OwnShare)}
	}
	return nil
}

// count is a number that is left out when it is 0.
type count int

func (c *count) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	var n int
	if err := json.Unmarshal(data, &n); err != nil {
		return err
	}
	if n == 0 {
		return errZero
	}
	*c = count(n)
	return nil
}

var errZero = errors.New("0 would become the default: leave the key out for that, or give a value")

// span is a duration that is written as "1.5s".
type span time.Duration

func (s span) MarshalText() ([]byte, error) { return []byte(time.Duration(s).String()), nil }

func (s *span) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q is no duration: write it like \"1.5s\" or \"10m\"", text)
	}
	if d == 0 {
		return errZero
	}
	*s = span(d)
	return nil
}
