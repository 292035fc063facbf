package aurora

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/internal/mysqlerr"
)

// spare keeps connections of a pool open for when the server takes no more: it has too
// many, or it denies the account by now. MySQL reserves one connection for an account with
// CONNECTION_ADMIN, and an admin_address, but Aurora's administrator has neither.
type spare struct {
	db   *sql.DB
	kept chan *kept // what is not in use
}

// kept is a connection that is used for nothing else.
type kept struct {
	conn *sql.Conn
	made time.Time
}

// The times of a spare: between two looks whether it still works; how long one is used
// before it is made anew, because the name may lead elsewhere by now; how long a call waits
// for one that is being looked at.
const (
	spareLook = 10 * time.Second
	spareAge  = 5 * time.Minute
	spareWait = 100 * time.Millisecond
)

// newSpares returns what the accounts keep: one connection each, and a second one of the
// account that fences, because a fence that is held up ends sessions meanwhile.
func newSpares(db, admin *sql.DB) map[*sql.DB]*spare {
	sizes := map[*sql.DB]int{db: 1}
	sizes[admin] += 2
	out := make(map[*sql.DB]*spare)
	for db, n := range sizes {
		s := &spare{db, make(chan *kept, n)}
		for range n {
			s.kept <- &kept{}
		}
		out[db] = s
	}
	return out
}

// Keep holds one connection of each account open until ctx ends, and one more of the
// account that fences, so that a server that takes no new ones can still be asked and
// fenced. One that has broken is made anew within seconds.
func (s *SQL) Keep(ctx context.Context) {
	defer func() {
		for _, sp := range s.spares {
			sp.drop()
		}
	}()
	tick := time.NewTicker(spareLook)
	defer tick.Stop()
	for {
		for _, sp := range s.spares {
			sp.look(ctx)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// look makes what is not there, and anew what is broken or old.
func (s *spare) look(ctx context.Context) {
	for range cap(s.kept) {
		var k *kept
		select {
		case k = <-s.kept:
		default:
			return // in use
		}
		call, cancel := context.WithTimeout(ctx, callTimeout)
		if k.conn != nil && k.conn.PingContext(call) != nil {
			k.drop()
		}
		if k.conn == nil || time.Since(k.made) > spareAge {
			if c, err := s.db.Conn(call); err == nil { // else the old one stays
				k.drop()
				k.conn, k.made = c, time.Now()
			}
		}
		cancel()
		s.kept <- k
	}
}

// use runs f on a kept connection, and reports whether there was one.
func (s *spare) use(ctx context.Context, f func(*sql.Conn) error) (used bool, err error) {
	wait := time.NewTimer(spareWait)
	defer wait.Stop()
	for range cap(s.kept) {
		var k *kept
		select {
		case k = <-s.kept:
		case <-wait.C:
			return false, nil
		case <-ctx.Done():
			return false, nil
		}
		if k.conn == nil {
			s.kept <- k
			continue
		}
		err = f(k.conn)
		// One whose server has answered works: another one may not be had.
		if reply, _ := mysqlerr.Reply(err); reply == failover.ReplyUnanswered || errors.Is(err, errElsewhere) {
			k.drop()
		}
		s.kept <- k
		return true, err
	}
	return false, nil
}

// drop closes what is kept and not in use.
func (s *spare) drop() {
	for range cap(s.kept) {
		select {
		case k := <-s.kept:
			k.drop()
			s.kept <- k
		default:
			return
		}
	}
}

func (k *kept) drop() {
	if k.conn != nil {
		drop(k.conn)
		_ = k.conn.Close()
		k.conn = nil
	}
}
