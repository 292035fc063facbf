package failover

import (
	"errors"
	"fmt"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// opObserve is that the other Region is lost, and the policy lets nothing begin by itself.
const opObserve = "fail over by itself"

// observes notes that a failover would begin, and does not because the policy is to observe
// only. No execution tells people then, so the monitor does: once for each outage, and a
// successor does not tell them again.
func (a *agent) observes(v health.Verdict) {
	if a.cfg.Policy.Automatic != dr.AutomaticNever || v.State != health.Impaired || a.cfg.Trigger == nil && a.controller == nil {
		return
	}
	a.lasting.Note(dr.Problem{At: time.Now(), Region: a.cfg.Region, Op: opObserve, Err: errors.New(v.Why())})
}

// observed says that a Region is lost, and how a person has the writer moved.
func observed(lost, here dr.Region, t Trouble) Message {
	return Message{
		Subject: fmt.Sprintf("%s is lost, and nothing is done by itself", lost),
		Body: fmt.Sprintf("%s is %s: %s\n\nThe policy is to observe only (Automatic: never), so no failover begins by itself.\n"+
			"at stake: there is no writer for as long as %s is down; what a failover would lose is asked before anything is touched\n"+
			"if there is no answer: nothing is touched, and this is not told again while it lasts\n\n"+
			"to move the writer to %s send this to the failover trigger there:\n{\"mode\":\"failover\",\"target_region\":%q,\"by\":\"YOUR NAME\",\"reason\":\"WHY\"}\n",
			lost, health.Impaired, t.Error, lost, here, here),
	}
}
