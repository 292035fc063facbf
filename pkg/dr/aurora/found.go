package aurora

import (
	"context"
	"errors"
	"fmt"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// Installer prepares the database of the own Region for its first epoch. [SQL] is one.
type Installer interface {
	// Install creates what is missing, or returns failover.ErrNotWriter.
	Install(ctx context.Context) error
	// Newest returns the newest epoch that the database has seen, 0 for none.
	Newest(ctx context.Context) (dr.Epoch, error)
}

// FounderConfig says what is founded, and where.
type FounderConfig struct {
	Region dr.Region
	// Cluster describes the global database by the own Region's API.
	Cluster  failover.Promoter
	Database Installer
}

// Validate reports everything that is wrong with the configuration at once.
func (c FounderConfig) Validate() error {
	var errs []error
	if c.Region == "" {
		errs = append(errs, errors.New("aurora: founder: Region is empty"))
	}
	if c.Cluster == nil || c.Database == nil {
		errs = append(errs, errors.New("aurora: founder: Cluster and Database are required"))
	}
	return errors.Join(errs...)
}

// Founder implements failover.Founder: the control plane and the server itself must
// both take the own Region for the writer.
type Founder struct{ cfg FounderConfig }

var _ failover.Founder = (*Founder)(nil)

// NewFounder returns a founder, or everything that its configuration lacks.
func NewFounder(cfg FounderConfig) (*Founder, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return &Founder{cfg}, nil
}

// Founds implements failover.Founder.
func (f *Founder) Founds(ctx context.Context) (bool, error) {
	now, err := f.cfg.Cluster.Describe(ctx)
	return err == nil && now.Writer == f.cfg.Region && now.MovingTo == "", err
}

// Install implements failover.Founder.
func (f *Founder) Install(ctx context.Context) error {
	newest, err := f.cfg.Database.Newest(ctx)
	if err != nil {
		return err
	}
	if newest > 0 {
		return fmt.Errorf("aurora: found in %s: %w: the lease table is empty but the database has seen epoch %d: "+
			"restore the table; or, if this is a new deployment made from another one's snapshot, empty the heartbeat table", f.cfg.Region, failover.ErrFounded, newest)
	}
	return f.cfg.Database.Install(ctx)
}
