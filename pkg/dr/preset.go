package dr

import (
	"cmp"
	"time"
)

// Preset names a set of defaults for a [Policy].
type Preset string

// The presets.
const (
	PresetFast     Preset = "fast"
	PresetNormal   Preset = "normal"
	PresetCautious Preset = "cautious"
)

// DefaultPolicy returns the policy with every default filled in: [Normal].
func DefaultPolicy() Policy { return Normal() }

// Normal returns the default policy. Its budget:
//
//	detect 7.75s, decide 1.5s, fence 0s, promote 1.5s, redirect 5s, verify 1.75s, crash loss <= 1s, partition window <= 6s
//
// Together 17.5 s beside Aurora's own promotion.
func Normal() Policy { return Policy{Preset: PresetNormal}.WithDefaults() }

// Fast returns a policy that recovers sooner, for Regions that are close to each other and
// a network that is calm: it takes a shorter silence for a loss, costs twice the writes to
// the lease store, and leaves Aurora half the time to heal its own writer. Its budget:
//
//	detect 4s, decide 1s, fence 900ms, promote 1s, redirect 5s, verify 1.25s, crash loss <= 1s, partition window <= 4.5s
//
// Together 13.15 s beside Aurora's own promotion.
func Fast() Policy { return Policy{Preset: PresetFast}.WithDefaults() }

// Cautious returns a policy that moves the writer late and seldom: it wants a longer
// silence, leaves Aurora more time to heal its own writer, and after one automatic failover
// in a day it asks a person. Its budget:
//
//	detect 14.5s, decide 2s, fence 0s, promote 2s, redirect 5s, verify 2.25s, crash loss <= 1s, partition window <= 10s
//
// Together 25.75 s beside Aurora's own promotion.
func Cautious() Policy { return Policy{Preset: PresetCautious}.WithDefaults() }

// defaults returns the policy whose fields a preset stands for; of one that is unknown,
// which Validate refuses, those of PresetNormal.
func (p Preset) defaults() Policy {
	two := 2
	d := Policy{
		Preset: PresetNormal, Automatic: AutomaticAlways,
		Objectives:    Objectives{RTO: 60 * time.Second, RPO: time.Second, OwnShare: 20 * time.Second},
		ProbeInterval: 2 * time.Second, ProbeTimeout: 1500 * time.Millisecond, Confirm: 3, MinVantages: 2,
		InRegionGrace: 30 * time.Second, ControlInterval: 30 * time.Second, Clusters: 1,
		LeaseTTL: 6 * time.Second, LeaseMargin: 1500 * time.Millisecond, LeaseDrift: 250 * time.Millisecond,
		RenewInterval: 500 * time.Millisecond, ObserveInterval: 250 * time.Millisecond,
		MaxDataLoss: time.Second, MaxLagAge: 5 * time.Second,
		CallTimeout: 1500 * time.Millisecond, PollInterval: 250 * time.Millisecond, EffectTimeout: 10 * time.Minute, EndpointTTL: 5 * time.Second,
		MaxFailovers: &two, FailoverWindow: time.Hour, NoWitness: AskOperator,
	}
	switch p {
	case PresetFast:
		d.Preset, d.Objectives.OwnShare = p, 15*time.Second
		d.ProbeInterval, d.ProbeTimeout, d.InRegionGrace = time.Second, 800*time.Millisecond, 15*time.Second
		d.LeaseTTL, d.LeaseMargin, d.LeaseDrift = 4500*time.Millisecond, 1200*time.Millisecond, 200*time.Millisecond
		d.RenewInterval, d.ObserveInterval, d.CallTimeout = 250*time.Millisecond, 200*time.Millisecond, time.Second
	case PresetCautious:
		one := 1
		d.Preset, d.Objectives.OwnShare = p, 30*time.Second
		d.ProbeInterval, d.ProbeTimeout, d.Confirm, d.InRegionGrace = 3*time.Second, 2*time.Second, 4, 45*time.Second
		d.LeaseTTL, d.LeaseMargin, d.LeaseDrift = 10*time.Second, 2500*time.Millisecond, 500*time.Millisecond
		d.RenewInterval, d.ObserveInterval, d.CallTimeout = time.Second, 500*time.Millisecond, 2*time.Second
		d.MaxLagAge, d.MaxFailovers, d.FailoverWindow = 8*time.Second, &one, 24*time.Hour
	}
	return d
}

// WithDefaults returns a copy in which every zero field holds its default, that of
// Preset.
func (p Policy) WithDefaults() Policy {
	d := p.Preset.defaults()
	fill(&p.Preset, d.Preset)
	fill(&p.Objectives.RTO, d.Objectives.RTO)
	fill(&p.Objectives.RPO, d.Objectives.RPO)
	fill(&p.Objectives.OwnShare, d.Objectives.OwnShare)
	fill(&p.Automatic, d.Automatic)
	fill(&p.ProbeInterval, d.ProbeInterval)
	fill(&p.ProbeTimeout, d.ProbeTimeout)
	fill(&p.Confirm, d.Confirm)
	fill(&p.MinVantages, d.MinVantages)
	fill(&p.InRegionGrace, d.InRegionGrace)
	fill(&p.ControlInterval, d.ControlInterval)
	fill(&p.Clusters, d.Clusters)
	fill(&p.LeaseTTL, d.LeaseTTL)
	fill(&p.LeaseMargin, d.LeaseMargin)
	fill(&p.LeaseDrift, d.LeaseDrift)
	fill(&p.RenewInterval, d.RenewInterval)
	fill(&p.ObserveInterval, d.ObserveInterval)
	fill(&p.MaxDataLoss, d.MaxDataLoss)
	fill(&p.MaxLagAge, d.MaxLagAge)
	fill(&p.CallTimeout, d.CallTimeout)
	fill(&p.PollInterval, d.PollInterval)
	fill(&p.EffectTimeout, d.EffectTimeout)
	fill(&p.EndpointTTL, d.EndpointTTL)
	most := *cmp.Or(p.MaxFailovers, d.MaxFailovers)
	p.MaxFailovers = &most // so that copies don't share it
	fill(&p.FailoverWindow, d.FailoverWindow)
	fill(&p.NoWitness, d.NoWitness)
	return p
}

func fill[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
