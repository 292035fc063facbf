package aurora

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// IsolatorConfig says whose writer is cut off.
type IsolatorConfig struct {
	// Region is the process's own: a process never cuts off another Region's writer.
	Region dr.Region
	// Cluster is the identifier of the member cluster in that Region.
	Cluster string
	API     RebootAPI
	// Timeout is the deadline of one call. Default 1.5 s.
	Timeout time.Duration
}

// Isolator restarts the writer instance of its own Region's member. The members'
// parameter groups must let servers boot read-only, so that the restarted one
// accepts nothing until a guard opens it. It implements failover.Isolator and is
// safe for concurrent use.
type Isolator struct {
	cfg IsolatorConfig

	mu     sync.Mutex
	writer string // the instance that was the writer when last seen
}

var (
	_ failover.Isolator  = (*Isolator)(nil)
	_ failover.Refresher = (*Isolator)(nil)
)

// NewIsolator returns an isolator, or everything that its configuration lacks.
func NewIsolator(cfg IsolatorConfig) (*Isolator, error) {
	var errs []error
	if cfg.Region == "" || cfg.Cluster == "" || cfg.API == nil {
		errs = append(errs, errors.New("aurora: isolator: Region, Cluster and API are required"))
	}
	if cfg.Timeout < 0 {
		errs = append(errs, fmt.Errorf("aurora: isolator: Timeout %v is negative: give a positive duration, or 0 for 1.5s", cfg.Timeout))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = callTimeout
	}
	return &Isolator{cfg: cfg}, nil
}

// Refresh implements failover.Refresher: it looks up the writer instance, so that
// Isolate need not. A secondary has no writer instance; then the last one known
// stays, as long as it belongs to the cluster.
func (i *Isolator) Refresh(ctx context.Context) error {
	_, err := i.look(ctx)
	return err
}

func (i *Isolator) look(ctx context.Context) (string, error) {
	call, cancel := context.WithTimeout(ctx, i.cfg.Timeout)
	defer cancel()
	m, err := describeCluster(call, i.cfg.API, i.cfg.Cluster)
	if err != nil {
		return "", i.fail("look up the writer instance", "cluster "+i.cfg.Cluster, err)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if m.writer != "" || !slices.Contains(m.instances, i.writer) {
		i.writer = m.writer
	}
	return i.writer, nil
}

// Isolate implements failover.Isolator. It restarts the writer instance last seen
// at once, and looks meanwhile whether another one has taken its place; then that
// one is restarted too. An instance that is down already counts: see gone.
func (i *Isolator) Isolate(ctx context.Context, _ dr.Epoch) error {
	i.mu.Lock()
	known := i.writer
	i.mu.Unlock()
	var rebootErr error
	var wg sync.WaitGroup
	if known != "" {
		wg.Go(func() { rebootErr = i.reboot(ctx, known) })
	}
	now, lookErr := i.look(ctx)
	wg.Wait()
	switch {
	case now != "" && now != known:
		return i.reboot(ctx, now)
	case known != "":
		return rebootErr
	case lookErr != nil:
		return lookErr
	}
	return i.fail("isolate the writer", "cluster "+i.cfg.Cluster, errors.New("it has no writer instance"))
}

func (i *Isolator) reboot(ctx context.Context, id string) error {
	call, cancel := context.WithTimeout(ctx, i.cfg.Timeout)
	defer cancel()
	_, err := i.cfg.API.RebootDBInstance(call, &rds.RebootDBInstanceInput{DBInstanceIdentifier: aws.String(id)})
	if err == nil {
		return nil
	}
	var absent *types.DBInstanceNotFoundFault
	if errors.As(err, &absent) {
		return nil // RDS itself has named it: it was deleted since
	}
	var state *types.InvalidDBInstanceStateFault
	if errors.As(err, &state) {
		states, lookErr := describeInstances(call, i.cfg.API, i.cfg.Cluster)
		if lookErr == nil && gone[states[id]] {
			return nil
		}
	}
	return i.fail("reboot", "instance "+id, err)
}

// gone lists the states in which an instance acknowledges nothing, or stops to, and after
// which it begins again, if at all, by booting read-only (Aurora User Guide, viewing
// instance status). In others, such as storage-full, upgrading, modifying, backing-up or
// incompatible-network, a server may run and accept writes: that is no isolation.
var gone = map[string]bool{
	"rebooting": true, "starting": true, "stopping": true, "stopped": true, "deleting": true, "failed": true,
	"inaccessible-encryption-credentials": true, "inaccessible-encryption-credentials-recoverable": true,
	"incompatible-parameters": true, // it can't be started with them
}

func (i *Isolator) fail(op, subject string, err error) error {
	return apiError(op, subject, i.cfg.Region, err)
}
