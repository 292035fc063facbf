package mysqlerr

import (
	"regexp"
	"strings"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// refuses are the numbers with which a server says that it commits nothing for any
// client; numbers and names as in MySQL 8.4 (share/messages_to_clients.txt, and
// include/mysys_err.h for those below 1000).
var refuses = map[uint16]string{
	20:   "disk full",                     // EE_DISK_FULL
	35:   "disk full",                     // EE_DISK_FULL_WITH_RETRY_MSG
	1021: "disk full",                     // ER_DISK_FULL
	3675: "disk full",                     // ER_DISK_FULL_NOWAIT
	1114: "table full",                    // ER_RECORD_FILE_FULL: InnoDB's word for a tablespace that can't grow
	3019: "undo log full",                 // ER_INNODB_UNDO_LOG_FULL
	3:    "write error",                   // EE_WRITE
	27:   "write error",                   // EE_SYNC
	1026: "write error",                   // ER_ERROR_ON_WRITE
	1030: "storage error",                 // ER_GET_ERRNO
	1180: "storage error during commit",   // ER_ERROR_DURING_COMMIT
	1534: "binary log not written",        // ER_BINLOG_ROW_LOGGING_FAILED
	1598: "binary log not written",        // ER_BINLOG_LOGGING_IMPOSSIBLE: since 5.7 a commit that could not be logged
	1878: "temporary file not written",    // ER_TEMP_FILE_WRITE_FAILURE: no statement of ours needs one, so it is the storage
	3100: "commit refused by replication", // ER_RUN_HOOK_ERROR: group replication without a majority
	1036: "storage is read-only",          // ER_OPEN_AS_READONLY: an InnoDB table in read-only or recovery mode
	1881: "in forced recovery",            // ER_INNODB_FORCED_RECOVERY
	1053: "shutting down",                 // ER_SERVER_SHUTDOWN
	3168: "not available",                 // ER_SERVER_ISNT_AVAILABLE
	3032: "in offline mode",               // ER_SERVER_OFFLINE_MODE: clients are turned away
}

// files are the numbers whose message carries the errno of a file that could not be used:
// a full or failing disk, or something else, such as a file that is not there.
var files = map[uint16]bool{
	1: true, 2: true, 4: true, 14: true, 21: true, 33: true, // EE_CANTCREATEFILE, _READ, _BADCLOSE, _CANT_CHSIZE, _CANT_MKDIR, _CANT_SEEK
	1004: true, 1005: true, 1006: true, // ER_CANT_CREATE_FILE, _TABLE, _DB
	1016: true, 1023: true, 1024: true, 1025: true, // ER_CANT_OPEN_FILE, ER_ERROR_ON_CLOSE, _READ, _RENAME
	1105: true, 1182: true, 1296: true, 1815: true, // ER_UNKNOWN_ERROR, ER_ERROR_DURING_FLUSH_LOGS, ER_GET_ERRMSG, ER_INTERNAL_ERROR
}

// passing are errors of the storage engine (include/my_base.h) that concern one row, one
// table or one transaction, however they are wrapped.
var passing = map[string]bool{
	"120": true, "121": true, "124": true, "126": true, "127": true, "128": true, "131": true, "138": true, // not found, duplicate, wrong or crashed index, out of memory, unsupported
	"144": true, "145": true, "146": true, "147": true, "148": true, "149": true, "155": true, // crashed table, lock wait, lock table full, deadlock, no such table
	"1": true, "2": true, "12": true, "13": true, "24": true, // EPERM, ENOENT, ENOMEM, EACCES, EMFILE
}

// number says what a server's error number proves. Of numbers that are in no list a server
// has many, and they prove that it answers.
func number(n uint16, message string) (failover.Reply, string) {
	text := strings.ToLower(message)
	switch n {
	case 1290: // ER_OPTION_PREVENTS_STATEMENT, of any option: --skip-grant-tables, --secure-file-priv
		if strings.Contains(text, "read-only") || strings.Contains(text, "read_only") {
			return failover.ReplyReadOnly, "read-only"
		}
	case 1792, // ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION: on Aurora, of a writer that has moved
		1836, // ER_READ_ONLY_MODE: innodb_read_only, as on an Aurora secondary
		1874: // ER_INNODB_READ_ONLY
		return failover.ReplyReadOnly, "read-only"
	}
	// A temporary file that can't be written stops the statements that need one.
	temporary := strings.Contains(text, "#sql") || strings.Contains(text, "/tmp/")
	if why := refuses[n]; why != "" {
		switch n {
		case 3, 20, 27, 35, 1021, 1026, 1114, 3675:
			if temporary {
				return failover.ReplyAnswered, "no room for a temporary file"
			}
		case 1030, 1180:
			if code := engineCode.FindStringSubmatch(message); code != nil && passing[code[1]] {
				return failover.ReplyAnswered, "storage engine's error " + code[1]
			}
		case 1598:
			if strings.Contains(text, "transaction level") || strings.Contains(text, "binlog mode") {
				return failover.ReplyAnswered, "isolation level and binary log of one session"
			}
		}
		return failover.ReplyRefusesWrites, why
	}
	if files[n] && !temporary && (fullOrFailing.MatchString(text) || errnoOfDisk.MatchString(text)) {
		return failover.ReplyRefusesWrites, "disk full or failing"
	}
	if why := answers[n]; why != "" {
		return failover.ReplyAnswered, why
	}
	return failover.ReplyAnswered, "refused"
}

var (
	// engineCode is the number in "Got error 149 - 'Lock deadlock' from storage engine", in
	// every language of the server's messages.
	engineCode = regexp.MustCompile(`([0-9]+) - `)
	// errnoOfDisk is EIO, EFBIG, ENOSPC, EROFS or EDQUOT, in "(OS errno 28 - No space ...)",
	// "(Errcode: 28)" and the like.
	errnoOfDisk = regexp.MustCompile(`(?:err(?:no|code)|error)[: ]*(?:5|27|28|30|122)(?:[^0-9]|$)`)
	// fullOrFailing are what strerror makes of them, and what MySQL says of an aborted log.
	fullOrFailing = regexp.MustCompile(`no space left|disk quota exceeded|read-only file system|input/output error|file too large|disk (?:is )?full|server is being stopped|abort_server`)
)

// answers are the numbers that were considered and prove no more than an answer, with why.
var answers = map[uint16]string{
	// The connection is refused; sessions that are open go on.
	1040: "too many connections", 1203: "too many connections of the account", 1226: "limit of the account reached",
	1135: "no thread for another connection", 1041: "out of resources", 1037: "out of memory", 1038: "out of sort memory", 5: "out of memory", 23: "out of file descriptors",
	1129: "host blocked", 1130: "host not allowed", 1042: "host name not resolved by the server", 1043: "bad handshake",
	1044: "access denied", 1045: "access denied", 1698: "access denied", 1251: "login method not supported", 3159: "TLS demanded",
	1820: "password must be changed", 1862: "password expired", 3118: "account locked", 3955: "account blocked after failed logins",
	// The statement is refused.
	1142: "no privilege", 1143: "no privilege", 1227: "no privilege", 1370: "no privilege", 1290: "an option of the server prevents it",
	1046: "no database selected", 1049: "no such database", 1054: "no such column", 1064: "syntax error", 1146: "no such table", 1305: "no such procedure", 3989: "schema is read-only",
	1194: "table crashed", 1195: "table crashed", 1712: "index corrupt", 1812: "tablespace missing", 1877: "table corrupt", 3185: "encryption key not found",
	1223: "conflicting read lock", 1099: "table locked", 1100: "table not locked", 1289: "feature disabled",
	1197: "transaction too large for the log's cache", 1713: "row too large for the undo log", 1637: "too many concurrent transactions",
	// One session or one statement was ended, by a person, a limit or another transaction.
	1205: "lock wait timeout", 1206: "lock table full", 1213: "deadlock", 3572: "lock not granted", 3101: "rolled back by replication",
	1317: "query killed", 3024: "statement timeout", 1927: "connection killed", 3169: "session killed", 4031: "idle session ended",
	1094: "no such session", 1095: "no privilege over the session", 1152: "connection aborted", 1153: "packet too large", 1158: "network read error", 1159: "network read timeout",
	1160: "network write error", 1161: "network write timeout", 1184: "connection aborted",
	1399: "transaction in another state", 1402: "transaction rolled back", 1614: "transaction rolled back",
	// Errors of a replica's replication.
	1593: "replication error", 1594: "replication error", 3098: "table refused by replication",
}
