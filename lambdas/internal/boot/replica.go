package boot

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// replicaAgain is how long the name of a replica's endpoint is believed.
const replicaAgain = time.Minute

// replicaName is the name under which module link publishes a member's interface endpoint
// of DynamoDB in the other member's VPC. DynamoDB's endpoints have no private DNS: they
// answer to their own names only, vpce-….dynamodb.REGION.vpce.amazonaws.com, which the
// alias leads to.
func replicaName(r dr.Region) string { return "dynamodb." + r.String() + ".lifeboat.internal" }

// replica finds the other member's endpoint of DynamoDB by DNS. It needs nothing of the
// other Region, and not the table: a process may start while the local replica is dark.
type replica struct {
	region dr.Region
	alias  func(context.Context, string) (string, error) // net.Resolver's LookupCNAME

	mu     sync.Mutex
	url    string
	looked time.Time
}

func newReplica(r dr.Region, alias func(context.Context, string) (string, error)) *replica {
	if alias == nil {
		alias = net.DefaultResolver.LookupCNAME
	}
	return &replica{region: r, alias: alias}
}

// find returns the endpoint's URL. A name that was found before is used on while the lookup
// fails.
func (p *replica) find(ctx context.Context) (string, error) {
	p.mu.Lock()
	url, fresh := p.url, time.Since(p.looked) < replicaAgain
	p.mu.Unlock()
	if url != "" && fresh {
		return url, nil
	}
	found, err := p.alias(ctx, replicaName(p.region))
	found = strings.TrimSuffix(found, ".")
	if err == nil && !strings.HasSuffix(found, ".dynamodb."+p.region.String()+".vpce.amazonaws.com") {
		err = fmt.Errorf("it leads to %q, which is no endpoint of DynamoDB", found)
	}
	switch {
	case err == nil:
		url = "https://" + found
	case url == "":
		return "", fmt.Errorf("boot: find the lease table's replica in %s by %s: %w: apply the unit link", p.region, replicaName(p.region), err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.url, p.looked = url, time.Now()
	return url, nil
}
