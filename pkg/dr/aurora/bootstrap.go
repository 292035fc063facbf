package aurora

import (
	"context"
	"errors"
	"fmt"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// Installer prepares the database of the local Region for its first epoch. [SQL] is one.
type Installer interface {
	// Install creates what is missing, or returns failover.ErrNotWriter.
	Install(ctx context.Context) error
	// Newest returns the newest epoch that the database has seen, 0 for none.
	Newest(ctx context.Context) (dr.Epoch, error)
}

// BootstrapperConfig says what is bootstrapped, and where.
type BootstrapperConfig struct {
	Region dr.Region
	// Cluster describes the global database by the local Region's API.
	Cluster  failover.Promoter
	Database Installer
}

// Validate reports everything that is wrong with the configuration at once.
func (c BootstrapperConfig) Validate() error {
	var errs []error
	if c.Region == "" {
		errs = append(errs, errors.New("aurora: bootstrapper: Region is empty"))
	}
	if c.Cluster == nil || c.Database == nil {
		errs = append(errs, errors.New("aurora: bootstrapper: Cluster and Database are required"))
	}
	return errors.Join(errs...)
}

// Bootstrapper implements failover.Bootstrapper: the control plane and the server itself must
// both report that the local Region has the writer.
type Bootstrapper struct{ cfg BootstrapperConfig }

var _ failover.Bootstrapper = (*Bootstrapper)(nil)

// NewBootstrapper returns a bootstrapper, or everything that its configuration lacks.
func NewBootstrapper(cfg BootstrapperConfig) (*Bootstrapper, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return &Bootstrapper{cfg}, nil
}

// Bootstraps implements failover.Bootstrapper.
func (f *Bootstrapper) Bootstraps(ctx context.Context) (bool, error) {
	now, err := f.cfg.Cluster.Describe(ctx)
	return err == nil && now.Writer == f.cfg.Region && now.MovingTo == "", err
}

// Install implements failover.Bootstrapper.
func (f *Bootstrapper) Install(ctx context.Context) error {
	newest, err := f.cfg.Database.Newest(ctx)
	if err != nil {
		return err
	}
	if newest > 0 {
		return fmt.Errorf("aurora: bootstrap in %s: %w: the lease table is empty but the database has seen epoch %d: "+
			"restore the table; or, if this is a new deployment made from another one's snapshot, empty the heartbeat table", f.cfg.Region, failover.ErrBootstrapped, newest)
	}
	return f.cfg.Database.Install(ctx)
}
