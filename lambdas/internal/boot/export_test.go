package boot

import "github.com/lifeboat-dr/lifeboat/pkg/dr/aurora"

// Saw gives the login why a connection could not be made.
func (l *Login) Saw(err error) { l.saw(err) }

// NewServer returns the source of a pool's connections.
func NewServer(address string, l *Login) aurora.MySQLSource { return server{address, l} }
