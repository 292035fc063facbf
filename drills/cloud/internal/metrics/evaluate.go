package metrics

import (
	"fmt"
	"time"
)

// breaches compares a value with a threshold; ok is false for an operator that
// is not emulated.
func breaches(operator string, value, threshold float64) (breach, ok bool) {
	switch operator {
	case "GreaterThanOrEqualToThreshold":
		return value >= threshold, true
	case "GreaterThanThreshold":
		return value > threshold, true
	case "LessThanThreshold":
		return value < threshold, true
	case "LessThanOrEqualToThreshold":
		return value <= threshold, true
	}
	return false, false
}

// extraPeriods is how far CloudWatch looks past the evaluation periods for real
// points before it fills in missing ones (AWS: CloudWatch user guide, alarms
// and missing data: 5 points for 3 out of 3).
const extraPeriods = 2

// evaluate brings an alarm up to date. CloudWatch evaluates once a minute, or
// every ten seconds for a period under a minute; between two looks only the
// last of those evaluations is made up for.
func (st *store) evaluate(a *alarm, now time.Time) {
	step := time.Minute
	if a.period < 60 {
		step = 10 * time.Second
	}
	tick := now.Truncate(step)
	if !tick.After(a.evaluatedAt) {
		return
	}
	a.evaluatedAt = tick
	period := time.Duration(a.period) * time.Second
	end := tick.Truncate(period)
	points := st.points(a.metric, int64(a.period), end.Add(-time.Duration(a.periods+extraPeriods)*period), end)
	if len(points) > a.periods {
		points = points[len(points)-a.periods:]
	}
	breaching := 0
	for _, p := range points {
		v, _ := p.stat(a.statistic)
		if b, _ := breaches(a.comparison, v, a.threshold); b {
			breaching++
		}
	}
	state, ok := a.judge(breaching, len(points))
	if ok && state != a.state {
		a.set(state, fmt.Sprintf("Threshold Crossed: %d of the last %d datapoints breached the threshold (%v), %d were missing",
			breaching, a.periods, a.threshold, a.periods-len(points)), tick)
	}
}

// judge follows the two tables of the user guide's page on missing data. It
// returns false to keep the current state.
func (a *alarm) judge(breaching, real int) (string, bool) {
	switch {
	case a.missing == "breaching":
		breaching += a.periods - real
	case real == 0 && a.missing == "missing":
		return stateInsufficient, true
	case real == 0 && a.missing == "ignore":
		return "", false
	case real < a.periods && breaching == real && breaching < a.needed:
		// All there is breaches, but it is too little.
		switch a.missing {
		case "missing":
			return stateAlarm, true
		case "ignore":
			return "", false
		}
	}
	if breaching >= a.needed {
		return stateAlarm, true
	}
	return stateOK, true
}

func (a *alarm) set(state, reason string, at time.Time) {
	if a.state != state {
		a.updatedAt = at
	}
	a.state, a.reason = state, reason
}
