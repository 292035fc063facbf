package drill

import (
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/measure"
	"github.com/lifeboat-dr/lifeboat/drills/report"
)

// judge saves the history before it measures it.
func (d *run) judge(t Target, h measure.Run) (Outcome, error) {
	h.Faulted = d.scenario.Faulted
	h.Objectives = d.scenario.Policy.Objectives
	h.Sustain = measure.Sustain{Window: d.opt.Timing.Sustain}
	h.Horizon = d.opt.Timing.Horizon
	h.Interval = time.Second / time.Duration(d.scenario.Clients[0].Rate)
	out := Outcome{Run: h}
	meta := report.Meta{
		Scenario: d.scenario.Name, Target: t.Name(), Seed: d.opt.Seed, Started: d.opt.Started,
		Plan: d.scenario.Plan.String(), Model: d.world.Model(), Expect: d.scenario.Expect,
		Settings: map[string]string{"budget": d.scenario.Policy.Budget().String()},
	}
	var folder *report.Folder
	if d.opt.Out != "" {
		var err error
		if folder, err = report.Create(d.opt.Out, meta); err != nil {
			return out, err
		}
		out.Folder = folder.Path()
		trace := make([]any, len(h.Marks))
		for i, m := range h.Marks {
			trace[i] = m
		}
		if err := folder.SaveRun(h, trace); err != nil {
			return out, err
		}
	}
	out.Result = measure.Measure(h)
	out.Verdict = measure.Judge(out.Result, d.scenario.Expect)
	out.Summary = report.Summary(meta, out.Result, out.Verdict, out.Folder)
	if folder == nil {
		return out, nil
	}
	var err error
	out.Summary, err = folder.SaveResult(out.Result, out.Verdict)
	return out, err
}
