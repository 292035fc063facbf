package aurora

// Next is MySQLTarget.next.
func Next(t MySQLTarget, err error, writer *string) (string, bool) { return t.next(err, writer) }
