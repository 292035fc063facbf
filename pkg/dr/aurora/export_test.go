package aurora

// Next is MySQLTarget.next.
func Next(t MySQLTarget, err error, writer *string) (string, bool) { return t.next(err, writer) }

// What reads an answer of RDS and of a server.
var (
	RegionOf = regionOf
	Beside   = beside
)
