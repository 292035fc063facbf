package drtest

import (
	"context"
	"slices"
	"sync"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// Notifier keeps what people would have been told.
type Notifier struct {
	net    *Network
	region dr.Region

	mu       sync.Mutex
	messages []failover.Message
}

var _ failover.Notifier = (*Notifier)(nil)

// NewNotifier returns a notifier that is called from a Region.
func NewNotifier(net *Network, region dr.Region) *Notifier {
	return &Notifier{net: net, region: region}
}

// Notify implements failover.Notifier.
func (n *Notifier) Notify(ctx context.Context, m failover.Message) error {
	return n.net.carry(ctx, Call{From: n.region, To: n.region, Op: OpNotify}, func() error {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.messages = append(n.messages, m)
		return nil
	})
}

// Messages returns everything that was told, in order.
func (n *Notifier) Messages() []failover.Message {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.messages)
}
