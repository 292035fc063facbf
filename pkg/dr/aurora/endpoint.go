package aurora

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// EndpointConfig says which endpoint clients use, and how its servers are told
// apart.
type EndpointConfig struct {
	// DB is opened on the name that clients use: the global writer endpoint.
	DB *sql.DB
	// Region returns where the server of an identity is: on Aurora the instance's
	// identifier, on MySQL the server_id.
	Region  func(server string) (dr.Region, bool)
	Dialect Dialect
	// Schema holds the heartbeat table. Default "lifeboat".
	Schema string
}

// Endpoint is what clients use to reach the writer.
type Endpoint struct{ cfg EndpointConfig }

// NewEndpoint returns the endpoint, or everything that its configuration lacks.
func NewEndpoint(cfg EndpointConfig) (*Endpoint, error) {
	var errs []error
	if cfg.DB == nil || cfg.Region == nil {
		errs = append(errs, errors.New("aurora: endpoint: DB and Region are required"))
	}
	if cfg.Schema != "" && !identifier.MatchString(cfg.Schema) {
		errs = append(errs, fmt.Errorf("aurora: endpoint: Schema is no name: use letters, digits and underscores (it has %d characters)", len(cfg.Schema)))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if cfg.Schema == "" {
		cfg.Schema = "lifeboat"
	}
	return &Endpoint{cfg}, nil
}

// errUsed makes session drop a connection after its only use.
var errUsed = errors.New("used once")

// Reach commits a heartbeat row named "endpoint" through the endpoint and returns
// the Region whose server took it. Each call makes a connection of its own, so
// that the endpoint's name is resolved as a client that reconnects would.
func (e *Endpoint) Reach(ctx context.Context, epoch dr.Epoch) (dr.Region, error) {
	identity := "@@aurora_server_id"
	if e.cfg.Dialect == DialectMySQL {
		identity = "@@server_id"
	}
	var at dr.Region
	err := session(ctx, e.cfg.DB, "aurora: write through the endpoint", func(c *sql.Conn) error {
		var server string
		if err := c.QueryRowContext(ctx, "SELECT "+identity).Scan(&server); err != nil {
			return err
		}
		r, known := e.cfg.Region(server)
		if !known {
			return fmt.Errorf("server %s belongs to no known Region", server)
		}
		seq := uint64(time.Now().UnixMicro())
		if err := beat(ctx, c, e.cfg.Schema+".heartbeat", failover.Beat{Region: "endpoint", Epoch: epoch, Seq: seq}); err != nil {
			return fmt.Errorf("server %s in %s: %w", server, r, err)
		}
		at = r
		return errUsed
	})
	if errors.Is(err, errUsed) {
		return at, nil
	}
	return "", err
}

// Redirecter publishes a Region as the target of new connections.
type Redirecter interface {
	Redirect(ctx context.Context, to dr.Region, e dr.Epoch) error
}

// Reacher commits a write through the endpoint that clients use and returns the
// Region whose member took it.
type Reacher interface {
	Reach(ctx context.Context, e dr.Epoch) (dr.Region, error)
}

// Router joins the two halves of failover.Router.
type Router struct {
	// Redirecter may be nil: the global writer endpoint follows a managed failover
	// and switchover by itself (Aurora User Guide, connecting to a global database).
	Redirecter Redirecter
	Reacher    Reacher
}

var _ failover.Router = Router{}

// Redirect implements failover.Router.
func (r Router) Redirect(ctx context.Context, to dr.Region, e dr.Epoch) error {
	if r.Redirecter == nil {
		return ctx.Err()
	}
	return r.Redirecter.Redirect(ctx, to, e)
}

// Reach implements failover.Router.
func (r Router) Reach(ctx context.Context, e dr.Epoch) (dr.Region, error) {
	return r.Reacher.Reach(ctx, e)
}
