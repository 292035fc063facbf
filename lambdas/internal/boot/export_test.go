package boot

import "github.com/lifeboat-dr/lifeboat/pkg/dr/failover"

// Saw gives the login what a statement has returned.
func (l *Login) Saw(err error) error { return l.saw(err) }

// Denied reports whether the login that a database uses has been denied since the
// password was read.
func Denied(b failover.Beater) bool { return len(b.(*database).login.denied) > 0 }
