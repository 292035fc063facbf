package mysqlerr_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/internal/mysqlerr"
)

// Every number that was considered, with a message as the server writes it, and why it is
// what it is. A number that is not here answers, and no more.
func TestEveryNumber(t *testing.T) {
	const (
		ro, refuses, answers = failover.ReplyReadOnly, failover.ReplyRefusesWrites, failover.ReplyAnswered
	)
	for _, c := range []struct {
		n       uint16
		message string
		want    failover.Reply
		why     string
	}{
		// Read-only, and the number's other causes.
		{1290, "The MySQL server is running with the --read-only option so it cannot execute this statement", ro, "every client is bound"},
		{1290, "The MySQL server is running with the --super-read-only option so it cannot execute this statement", ro, "every client is bound"},
		{1290, "The MySQL server is running with the --innodb-read-only option so it cannot execute this statement", ro, "its storage takes no writes"},
		{1290, "Der MySQL-Server läuft mit der Option --read-only und kann diese Anweisung deswegen nicht ausführen", ro, "the option is not translated"},
		{1290, "The MySQL server is running with the --skip-grant-tables option so it cannot execute this statement", answers, "clients write"},
		{1290, "The MySQL server is running with the --secure-file-priv option so it cannot execute this statement", answers, "clients write"},
		{1290, "The MySQL server is running with the LOCK_WRITE_GROWTH option so it cannot execute this statement", answers, "of another program; unknown is not dead"},
		{1290, "", answers, "no option is named"},
		{1792, "Cannot execute statement in a READ ONLY transaction.", ro, "go-sql-driver's rejectReadOnly: Aurora's writer has moved"},
		{1836, "Running in read-only mode", ro, "an Aurora reader"},
		{1874, "InnoDB is in read only mode.", ro, "innodb_read_only"},

		// The disk is full, in every spelling.
		{1021, "Disk full (orders.ibd); waiting for someone to free some space... (errno: 28 - No space left on device)", refuses, "disk full"},
		{3675, "Create table/tablespace 'orders' failed, as disk is full.", refuses, "disk full"},
		{20, "Disk is full writing './binlog.000007' (OS errno 28 - No space left on device). Waiting for someone to free space...", refuses, "disk full"},
		{35, "Disk is full writing './binlog.000007' (OS errno 28 - No space left on device). Waiting for someone to free space... Retry in 60 secs.", refuses, "disk full"},
		{3, "Error writing file './binlog.000007' (OS errno 28 - No space left on device)", refuses, "disk full"},
		{3, "Error writing file './binlog.000007' (OS errno 122 - Disk quota exceeded)", refuses, "quota"},
		{27, "Can't sync file './binlog.000007' to disk (OS errno 5 - Input/output error)", refuses, "disk fails"},
		{14, "Can't change size of file (OS errno 28 - No space left on device)", refuses, "disk full"},
		{1, "Can't create/write to file './binlog.000008' (OS errno 28 - No space left on device)", refuses, "disk full"},
		{1, "Can't create/write to file './binlog.000008' (OS errno 30 - Read-only file system)", refuses, "the kernel has remounted it"},
		{1, "Can't create/write to file './x' (OS errno 13 - Permission denied)", answers, "one file"},
		{2, "Error reading file './ibdata1' (OS errno 5 - Input/output error)", refuses, "disk fails"},
		{4, "Error on close of './binlog.000007' (OS errno 28 - No space left on device)", refuses, "disk full"},
		{1004, "Can't create file './orders/x.sdi' (errno: 28 - No space left on device)", refuses, "disk full"},
		{1004, "Can't create file './orders/x.sdi' (errno: 28)", refuses, "without a text"},
		{1005, "Can't create table 'x' (errno: 150 - Foreign key constraint is incorrectly formed)", answers, "one table"},
		{1006, "Kann Datenbank 'x' nicht erzeugen (Fehler: 28 - No space left on device)", refuses, "in another language"},
		{1016, "Can't open file: 'x' (errno: 2 - No such file or directory)", answers, "one file"},
		{1016, "Can't open file: 'x' (errno: 5 - Input/output error)", refuses, "disk fails"},
		{1023, "Error on close of 'x' (errno: 28 - No space left on device)", refuses, "disk full"},
		{1024, "Error reading file 'x' (errno: 5 - Input/output error)", refuses, "disk fails"},
		{1025, "Error on rename of 'a' to 'b' (errno: 28 - No space left on device)", refuses, "disk full"},
		{1026, "Error writing file 'x' (errno: 28 - No space left on device)", refuses, "disk full"},
		{1030, "Got error 28 - 'No space left on device' from storage engine", refuses, "disk full"},
		{1030, "Got error 5 - 'Input/output error' from storage engine", refuses, "disk fails"},
		{1030, "Got error 135 - 'No more room in record file' from storage engine", refuses, "disk full"},
		{1030, "Got error 168 - 'Unknown (generic) error from engine' from storage engine", refuses, "InnoDB's word for what it can't do"},
		{1030, "Got error 203 - 'Create table/tablespace failed, as disk is full' from storage engine", refuses, "disk full"},
		{1030, "Got error 149 - 'Lock deadlock; Retry transaction' from storage engine", answers, "one transaction"},
		{1030, "Got error 146 - 'Lock timed out; Retry transaction' from storage engine", answers, "one transaction"},
		{1030, "Got error 128 - 'Out of memory in engine' from storage engine", answers, "one statement"},
		{1030, "Got error 145 - 'Table was marked as crashed and should be repaired' from storage engine", answers, "one table"},
		{1114, "The table 'heartbeat' is full", refuses, "the tablespace can't grow"},
		{1114, "The table '/rdsdbdata/tmp/#sql4f0_3_0' is full", answers, "Aurora's local storage: statements with a temporary table"},
		{3, "Error writing file '/tmp/MYfd=31' (OS errno 28 - No space left on device)", answers, "a temporary file"},
		{1878, "Temporary file write failure.", refuses, "a heartbeat write needs no temporary file: the storage fails"},
		{3019, "Undo Log error: No more space left over in system tablespace for allocating UNDO log pages.", refuses, "no transaction can begin"},
		{1296, "Got error 28 'No space left on device' from InnoDB", refuses, "disk full"},
		{1296, "Got error 4009 'Cluster Failure' from NDB", answers, "another engine"},
		{1815, "Internal error: write to storage failed: No space left on device", refuses, "disk full"},
		{1815, "Internal error: Cannot add field", answers, "one statement"},
		{1105, "Unknown error", answers, "unknown"},

		// The log of commits.
		{1180, "Got error 5 - 'Input/output error' during COMMIT", refuses, "nothing commits"},
		{1180, "Got error 149 - 'Lock deadlock; Retry transaction' during COMMIT", answers, "one transaction"},
		{1182, "Got error 28 - 'No space left on device' during FLUSH_LOGS", refuses, "disk full"},
		{1534, "Writing one row to the row-based binary log failed", refuses, "nothing commits"},
		{1598, "Binary logging not possible. Message: An error occurred during flush stage of the commit. 'binlog_error_action' is set to 'ABORT_SERVER'. Server is being stopped..", refuses, "it stops"},
		{1598, "Binary logging not possible. Message: %s", refuses, "without a cause"},
		{1598, "Binary logging not possible. Message: Transaction level 'READ-COMMITTED' in InnoDB is not safe for binlog mode 'STATEMENT'", answers, "one session"},
		{1197, "Multi-statement transaction required more than 'max_binlog_cache_size' bytes of storage", answers, "one transaction"},
		{3100, "Error on observer while running replication hook 'before_commit'.", refuses, "the group has no majority"},
		{3101, "Plugin instructed the server to rollback the current transaction.", answers, "one transaction"},
		{3098, "The table does not comply with the requirements by an external plugin.", answers, "one table"},
		{1593, "Fatal error: replication", answers, "a replica's"},

		// The server as a whole.
		{1053, "Server shutdown in progress", refuses, "it stops"},
		{3168, "Server isn't available", refuses, "it starts or stops"},
		{3032, "The server is currently in offline mode", refuses, "clients are turned away"},
		{1881, "Operation not allowed when innodb_force_recovery > 0.", refuses, "its storage takes no writes"},
		{1036, "Table 'heartbeat' is read only", refuses, "InnoDB, innodb_force_recovery"},
		{3989, "Schema 'lifeboat' is in read only mode.", answers, "one schema"},

		// Refused for a reason of its own.
		{1040, "Too many connections", answers, "clients are served"},
		{1203, "User lifeboat already has more than 'max_user_connections' active connections", answers, "our account"},
		{1226, "User 'lifeboat' has exceeded the 'max_connections_per_hour' resource (current value: 9)", answers, "our account"},
		{1135, "Can't create a new thread (errno 11)", answers, "new connections"},
		{1041, "Out of memory; check if mysqld or some other process uses all available memory", answers, "one statement"},
		{1037, "Out of memory; restart server and try again (needed 9 bytes)", answers, "one statement"},
		{23, "Out of resources when opening file 'x' (OS errno 24 - Too many open files)", answers, "one file"},
		{1044, "Access denied for user 'a'@'%' to database 'lifeboat'", answers, "our account"},
		{1045, "Access denied for user 'a'@'%' (using password: YES)", answers, "our account"},
		{1698, "Access denied for user 'a'@'%'", answers, "our account"},
		{1820, "You must reset your password using ALTER USER statement before executing this statement.", answers, "our account"},
		{1862, "Your password has expired.", answers, "our account"},
		{3118, "Access denied for user 'a'@'%'. Account is locked.", answers, "our account"},
		{3955, "Access denied for user 'a'@'%'. Account is blocked for 2 day(s)", answers, "our account"},
		{3159, "Connections using insecure transport are prohibited while --require_secure_transport=ON.", answers, "our connection"},
		{1251, "Client does not support authentication protocol requested by server", answers, "our connection"},
		{1129, "Host '10.0.0.1' is blocked because of many connection errors", answers, "our host"},
		{1130, "Host '10.0.0.1' is not allowed to connect to this MySQL server", answers, "our host"},
		{1043, "Bad handshake", answers, "our connection"},
		{1142, "INSERT command denied to user 'a'@'%' for table 'heartbeat'", answers, "a privilege"},
		{1227, "Access denied; you need (at least one of) the PROCESS privilege(s) for this operation", answers, "a privilege"},
		{1049, "Unknown database 'lifeboat'", answers, "not installed"},
		{1146, "Table 'lifeboat.heartbeat' doesn't exist", answers, "not installed"},
		{1054, "Unknown column 'seq' in 'field list'", answers, "another version"},
		{1064, "You have an error in your SQL syntax", answers, "another version"},
		{1205, "Lock wait timeout exceeded; try restarting transaction", answers, "one row"},
		{1213, "Deadlock found when trying to get lock; try restarting transaction", answers, "one row"},
		{1206, "The total number of locks exceeds the lock table size", answers, "one transaction"},
		{3572, "Statement aborted because lock(s) could not be acquired immediately and NOWAIT is set.", answers, "one row"},
		{1223, "Can't execute the query because you have a conflicting read lock", answers, "our session"},
		{1317, "Query execution was interrupted", answers, "one statement was killed"},
		{3024, "Query execution was interrupted, maximum statement execution time exceeded", answers, "a limit"},
		{1927, "Connection was killed", answers, "one session"},
		{3169, "Session was killed", answers, "one session"},
		{4031, "The client was disconnected by the server because of inactivity.", answers, "one session"},
		{1153, "Got a packet bigger than 'max_allowed_packet' bytes", answers, "one statement"},
		{1159, "Got timeout reading communication packets", answers, "one session"},
		{1194, "Table 'heartbeat' is marked as crashed and should be repaired", answers, "one table"},
		{1712, "Index PRIMARY is corrupted", answers, "one table"},
		{3185, "Can't find master key from keyring", answers, "one table"},
		{1637, "Too many active concurrent transactions", answers, "the others go on"},
		{1062, "Duplicate entry 'No space left on device' for key 'PRIMARY'", answers, "a message that quotes a value"},
		{9501, "Timed-out waiting to acquire database connection", answers, "RDS Proxy: not the writer's word"},
		{65535, "something new", answers, "unknown is not dead"},
	} {
		err := fmt.Errorf("beat: %w", &mysql.MySQLError{Number: c.n, Message: c.message})
		got, why := mysqlerr.Reply(err)
		require.Equal(t, c.want, got, "%d %s: %s", c.n, c.message, c.why)
		require.NotEmpty(t, why)
		require.Equal(t, c.want, failover.ReplyOf(mysqlerr.Classed(err)), "%d %s", c.n, c.message)
		require.Equal(t, err.Error(), mysqlerr.Classed(err).Error(), "the class changes no text")
	}
}

// No number that a server can send is silence, and none without a list is more than an answer.
func TestEveryNumberIsAnAnswer(t *testing.T) {
	refuses := 0
	for n := range uint16(65535) {
		got, _ := mysqlerr.Reply(&mysql.MySQLError{Number: n})
		require.True(t, got.Heard(), "%d", n)
		if got == failover.ReplyRefusesWrites {
			refuses++
		}
	}
	require.Equal(t, 20, refuses, "a new number that ends in a failover needs a line in the table above")
}

func TestWhatNoServerHasSaid(t *testing.T) {
	dial := func(err error) error {
		return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", err)}
	}
	const notAsked, unanswered, answered = failover.ReplyNotAsked, failover.ReplyUnanswered, failover.ReplyAnswered
	for name, c := range map[string]struct {
		err  error
		want failover.Reply
	}{
		"a deadline":           {context.DeadlineExceeded, unanswered},
		"a dial's deadline":    {&net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}, unanswered},
		"refused":              {dial(syscall.ECONNREFUSED), unanswered},
		"reset":                {dial(syscall.ECONNRESET), unanswered},
		"unreachable":          {dial(syscall.EHOSTUNREACH), unanswered},
		"cut in the middle":    {mysql.ErrInvalidConn, unanswered},
		"died idle":            {driver.ErrBadConn, unanswered},
		"end of file":          {io.ErrUnexpectedEOF, unanswered},
		"unknown":              {errors.New("something new"), unanswered},
		"malformed":            {mysql.ErrMalformPkt, unanswered},
		"no login":             {fmt.Errorf("%w: %w", health.ErrNotAsked, context.DeadlineExceeded), notAsked},
		"no such name":         {&net.OpError{Op: "dial", Err: &net.DNSError{Name: "db", IsNotFound: true}}, notAsked},
		"a silent resolver":    {&net.DNSError{Name: "db", IsTimeout: true}, notAsked},
		"another one answered": {fmt.Errorf("%w: %w", &net.DNSError{Name: "db"}, &mysql.MySQLError{Number: 1045}), notAsked},
		"no descriptors":       {dial(syscall.EMFILE), notAsked},
		"no ports":             {dial(syscall.EADDRNOTAVAIL), notAsked},
		"may not connect":      {dial(syscall.EPERM), notAsked},
		"bad address":          {&net.OpError{Op: "dial", Err: &net.AddrError{Err: "missing port", Addr: "x"}}, notAsked},
		"unknown authority":    {&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, notAsked},
		"another host's":       {x509.HostnameError{Certificate: &x509.Certificate{}, Host: "db"}, notAsked},
		"expired certificate":  {x509.CertificateInvalidError{Reason: x509.Expired}, notAsked},
		"no TLS":               {mysql.ErrNoTLS, answered},
		"an old password":      {mysql.ErrOldPassword, answered},
		"an unknown plugin":    {mysql.ErrUnknownPlugin, answered},
		"a TLS alert":          {tls.AlertError(40), answered},
		"plain text":           {tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}, answered},
	} {
		got, why := mysqlerr.Reply(fmt.Errorf("x: %w", c.err))
		require.Equal(t, c.want, got, name)
		require.NotEmpty(t, why, name)
		require.Equal(t, c.want, failover.ReplyOf(mysqlerr.Classed(c.err)), name)
	}
	require.NoError(t, mysqlerr.Classed(nil))
}

func TestFullAndDenied(t *testing.T) {
	server := func(n uint16) error { return &mysql.MySQLError{Number: n} }
	for _, n := range []uint16{1040, 1203, 1226, 1135} {
		require.True(t, mysqlerr.Full(server(n)), n)
		require.False(t, mysqlerr.Denied(server(n)), n)
	}
	for _, n := range []uint16{1044, 1045, 1129, 1130, 1698, 1820, 1862, 3118, 3159, 3955} {
		require.True(t, mysqlerr.Denied(server(n)), n)
		require.False(t, mysqlerr.Full(server(n)), n)
	}
	for _, err := range []error{nil, server(1146), context.DeadlineExceeded} {
		require.False(t, mysqlerr.Full(err) || mysqlerr.Denied(err))
		require.Zero(t, mysqlerr.Number(err)&^1146)
	}
}
