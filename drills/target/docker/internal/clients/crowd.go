package clients

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"
)

// Crowd is the body of /crowd/start: applications that take every session that a server
// has, and each one that becomes free.
type Crowd struct {
	Address string `json:"address"` // host:port of the server
	// Accounts log in, each when the one before it is refused: the last one may be
	// let into the session that MySQL reserves for administrators. Aurora's
	// administrator has no such session.
	Accounts []Account `json:"accounts"`
}

// Account logs in to a server.
type Account struct {
	User     string `json:"user"`
	Password string `json:"password"`
}

// Crowded is the answer of /crowd/start and /crowd/stop.
type Crowded struct {
	Sessions int `json:"sessions"` // that were opened
}

const (
	// crowdMost ends the filling of a server that never says that it is full.
	crowdMost = 5000
	// crowdEvery is how often a full server is asked for one session more.
	crowdEvery = 20 * time.Millisecond
	// crowdDoors is how many sessions are opened at once.
	crowdDoors = 4
)

// Validate reports everything that is wrong with the crowd.
func (c Crowd) Validate() error {
	var errs []error
	if _, _, err := net.SplitHostPort(c.Address); err != nil {
		errs = append(errs, fmt.Errorf("clients: crowd: address %q: use host:port", c.Address))
	}
	if len(c.Accounts) == 0 {
		errs = append(errs, errors.New("clients: crowd: no account: name at least one"))
	}
	return errors.Join(errs...)
}

// crowd holds the sessions of one server.
type crowd struct {
	doors []driver.Connector
	stop  context.CancelFunc
	done  chan struct{}

	mu   sync.Mutex
	held []driver.Conn
}

// fill opens sessions until the server takes none, and keeps it full until end is called
// or life ends. It returns an error, and holds nothing, if ctx ends before the server is full.
func fill(ctx, life context.Context, cfg Crowd) (*crowd, error) {
	c := &crowd{done: make(chan struct{})}
	for _, a := range cfg.Accounts {
		d := mysql.NewConfig()
		d.User, d.Passwd, d.Net, d.Addr = a.User, a.Password, "tcp", cfg.Address
		d.Timeout, d.ReadTimeout = 2*time.Second, 2*time.Second
		d.Logger = &mysql.NopLogger{}
		door, err := mysql.NewConnector(d)
		if err != nil {
			return nil, fmt.Errorf("clients: crowd: %w", err)
		}
		c.doors = append(c.doors, door)
	}
	errs := make([]error, crowdDoors)
	var all sync.WaitGroup
	for i := range crowdDoors {
		all.Go(func() { errs[i] = c.push(ctx) })
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		c.leave()
		return nil, err
	}
	life, c.stop = context.WithCancel(life)
	go c.keep(life)
	return c, nil
}

// push opens sessions until the server takes none.
func (c *crowd) push(ctx context.Context) error {
	for {
		full, err := c.enter(ctx)
		switch {
		case err != nil || full:
			return err
		case ctx.Err() != nil:
			return fmt.Errorf("clients: crowd: %d sessions, and the server is not full: %w", c.size(), ctx.Err())
		case c.size() > crowdMost:
			return fmt.Errorf("clients: crowd: %d sessions, and the server is not full", c.size())
		}
	}
}

// keep takes each session that becomes free, until ctx ends. An error is one of a server that
// is gone or restarts: it accepts no other client either.
func (c *crowd) keep(ctx context.Context) {
	defer close(c.done)
	tick := time.NewTicker(crowdEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			for full, err := false, error(nil); !full && err == nil && ctx.Err() == nil; {
				full, err = c.enter(ctx)
			}
		}
	}
}

// enter opens one session, and reports whether the server has no room for it.
func (c *crowd) enter(ctx context.Context) (full bool, err error) {
	for _, door := range c.doors {
		conn, err := door.Connect(ctx)
		var no *mysql.MySQLError
		switch {
		case err == nil:
			c.mu.Lock()
			defer c.mu.Unlock()
			c.held = append(c.held, conn)
			return false, nil
		case !errors.As(err, &no) || no.Number != tooMany:
			return false, fmt.Errorf("clients: crowd: open session %d: %w", c.size()+1, err)
		}
	}
	return true, nil
}

// tooMany is ER_CON_COUNT_ERROR.
const tooMany = 1040

func (c *crowd) size() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.held)
}

// end closes every session, and returns how many there were.
func (c *crowd) end() int {
	c.stop()
	<-c.done
	return c.leave()
}

func (c *crowd) leave() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.held {
		_ = conn.Close() // the server ends what the goodbye does not
	}
	n := len(c.held)
	c.held = nil
	return n
}
