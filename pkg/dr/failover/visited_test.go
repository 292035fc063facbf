package failover_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// The parts of the machine that a search over the default seeds must visit, or why
// it need not. A part that is in neither list fails the test, and so does one that
// the search has not met: a search that visits nothing finds nothing.
const must = ""

const (
	unused     = "nothing produces it: an execution begins when something is confirmed or requested"
	cantFail   = "the effect of this state can't fail"
	superseded = "TestSuperseded: a person takes the lease past the protocol"
	stuck      = "TestStuck: rare in a drawn world"
	byHand     = "TestAbort, TestReturn, TestPause: a person asks for it"
	outside    = "TestAdopt, TestMovedFromOutside: something else moves the writer"
	notReady   = "TestTargetNotReady, TestRefusedForGood: the target can't be promoted"
	untold     = "TestMessages: people could not be told in time"
	maybe      = "TestFlapping: a Region that comes and goes"
)

var visited = map[string]string{
	"edge Steady suspected": unused, "edge Steady confirmed": must, "edge Steady requested": must,
	"edge Suspect suspected": unused, "edge Suspect cleared": unused, "edge Suspect confirmed": unused, "edge Suspect requested": unused,
	"edge Confirmed epoch-taken": must, "edge Confirmed recovered": "TestARegionThatRenewedSinceTheVerdictLives", "edge Confirmed stuck": stuck, "edge Confirmed superseded": superseded,
	"edge EpochTaken fence-proven": must, "edge EpochTaken stuck": "TestOperator: the old Region could not fence", "edge EpochTaken superseded": superseded,
	"edge Fenced gate-passed": must, "edge Fenced stuck": cantFail, "edge Fenced superseded": cantFail,
	"edge LossAccepted promoted": must, "edge LossAccepted stuck": "TestOperator: a promotion does not come about", "edge LossAccepted superseded": superseded,
	"edge Promoted verified": must, "edge Promoted stuck": stuck, "edge Promoted superseded": superseded,
	"edge Verified redirected": must, "edge Verified stuck": stuck, "edge Verified superseded": superseded,
	"edge Redirected announced": must, "edge Redirected stuck": cantFail, "edge Redirected superseded": cantFail,
	"edge AwaitingApproval recovered": must, "edge AwaitingApproval acknowledged": must, "edge AwaitingApproval superseded": superseded,

	"edge AwaitingApproval told": must, "edge Aborted told": must, "edge Settled told": untold, "edge Returned told": byHand,
	"edge Confirmed told": untold, "edge EpochTaken told": untold, "edge Fenced told": untold, "edge LossAccepted told": untold, "edge Promoted told": untold,
	"edge Verified told": untold, "edge Redirected told": untold, "edge Returning told": untold,
	"edge Steady adopted": outside, "edge Suspect adopted": unused, "edge Confirmed adopted": outside, "edge AwaitingApproval adopted": outside,
	"edge Returning adopted": outside, "edge LossAccepted moved-back": outside, "edge Promoted moved-back": outside, "edge Verified moved-back": outside,
	"edge AwaitingApproval moved-back": outside, "edge AwaitingApproval ready": notReady, "edge AwaitingApproval reassessed": maybe,
	"edge Confirmed abort-requested": byHand, "edge AwaitingApproval abort-requested": byHand, "edge EpochTaken return-requested": byHand,
	"edge Fenced return-requested": byHand, "edge LossAccepted return-requested": byHand, "edge AwaitingApproval return-requested": byHand,
	"edge Returning returned": byHand, "edge Returning stuck": byHand, "edge Returning superseded": superseded, "edge Aborted returned": byHand,

	"code target-not-ready": notReady, "code writer-unknown": outside, "code moved-elsewhere": outside, "code promotion-refused": notReady,
	"code return-stuck": byHand, "code abort-requested": byHand, "code paused": byHand,

	"code recovered": must, "code superseded": superseded, "code lag-unknown": must, "code lag-stale": must,
	"code lag-above-limit": must, "code no-fence-proof": must, "code fence-failed": "TestOperator: the old Region could not fence",
	"code monitor-blind": "TestABlindMonitor: a monitor that can't ask a server that is lost", "code no-witness": "TestQuestionsOfTheController", "code failover-budget": "TestQuestionsOfTheController",
	"code promotion-stuck": "rare: TestAPromotionIsOverdue, TestStuck", "code verify-stuck": stuck, "code redirect-stuck": stuck, "code lease-store-stuck": stuck,

	"lease held": must, "lease lost": must, "lease fenced": must, "lease isolated": must, "lease opened": must,
	"lived":                     must,
	"bootstrapped by us-east-1": must, "bootstrapped by us-west-2": must,
	"excused: the old writer's monitor could not reach its own Region, and clients could": must,
	"excused: the old writer's Region could neither fence nor cut off its writer":         "rare: database and control plane must fail together",
	"excused: the old writer's monitor was not running since its last renewal":            "rare: it must die inside a cut",
}

// codes are all that the package has.
var codes = []failover.Code{
	failover.CodeRecovered, failover.CodeSuperseded, failover.CodeLagUnknown, failover.CodeLagStale, failover.CodeLagAboveLimit,
	failover.CodeNoFenceProof, failover.CodeFenceFailed, failover.CodeNoWitness, failover.CodeFailoverBudget,
	failover.CodePromotionStuck, failover.CodeVerifyStuck, failover.CodeRedirectStuck, failover.CodeLeaseStoreStuck,
	failover.CodeTargetNotReady, failover.CodeWriterUnknown, failover.CodeMovedElsewhere, failover.CodePromotionRefused,
	failover.CodeReturnStuck, failover.CodeAbortRequested, failover.CodePaused,
}

func init() {
	// A pause may be asked for in every state.
	for _, s := range failover.States() {
		for _, k := range []failover.Kind{failover.EvPaused, failover.EvResumed} {
			visited["edge "+string(s)+" "+string(k)] = byHand
		}
		if _, open := failover.Table()[s][failover.EvEndorsed]; open {
			visited["edge "+string(s)+" "+string(failover.EvEndorsed)] = "TestAPersonAsksForWhatIsOpen: a person asks for it"
		}
	}
}

func TestEveryPartOfTheMachineIsAccountedFor(t *testing.T) {
	for from, row := range failover.Table() {
		for k := range row {
			require.Contains(t, visited, "edge "+string(from)+" "+string(k))
		}
	}
	for _, c := range codes {
		require.Contains(t, visited, "code "+string(c))
	}
}

// complete fails for every part that the search should have met and has not.
func (t *tally) complete(tt *testing.T) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for part, why := range visited {
		if why == must && t.seen[part] == 0 {
			tt.Errorf("no world visited %q", part)
		}
		if why == unused || why == cantFail {
			require.Zero(tt, t.seen[part], "%s was visited: %s", part, why)
		}
	}
}
