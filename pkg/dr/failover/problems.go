package failover

import (
	"sync"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// problems keeps a trace readable while something fails several times a second:
// the same operation is reported again only when its error changes or after a
// while.
type problems struct {
	mu   sync.Mutex
	last map[string]reported
}

type reported struct {
	text string
	at   time.Time
}

// remindAfter is the time after which a lasting problem is reported again.
const remindAfter = 30 * time.Second

func (p *problems) report(t *dr.Trace, r dr.Region, op string, err error) {
	now := time.Now()
	t.OnFailure(dr.Problem{At: now, Region: r, Op: op, Err: err})
	p.mu.Lock()
	before, again := p.last[op]
	if again && before.text == err.Error() && now.Sub(before.at) < remindAfter {
		p.mu.Unlock()
		return
	}
	if p.last == nil {
		p.last = make(map[string]reported)
	}
	p.last[op] = reported{err.Error(), now}
	p.mu.Unlock()
	t.OnProblem(dr.Problem{At: now, Region: r, Op: op, Err: err})
}
