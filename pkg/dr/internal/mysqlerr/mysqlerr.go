// Package mysqlerr says what an error of a MySQL connection proves about the server, in
// one place for the guard, the probes and the fence.
package mysqlerr

import (
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"errors"
	"net"
	"os"
	"syscall"

	"github.com/go-sql-driver/mysql"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// Reply says what an error proves, and why in a few words. What it doesn't know is an
// answer when a server has sent it, and no answer else.
func Reply(err error) (failover.Reply, string) {
	var server *mysql.MySQLError
	var dns *net.DNSError
	switch known := failover.ReplyOf(err); {
	case known != failover.ReplyUnanswered: // classified already
		if errors.As(err, &server) && known != failover.ReplyNotAsked {
			_, why := number(server.Number, server.Message)
			return known, why
		}
		if known == failover.ReplyNotWriter {
			return known, "read-only, a secondary"
		}
		return known, known.String()
	case errors.As(err, &dns): // before a server's answer: then another server's
		return failover.ReplyNotAsked, "name not resolved"
	case errors.As(err, &server):
		return number(server.Number, server.Message)
	case local(err):
		return failover.ReplyNotAsked, "refused by this side"
	case handshake(err):
		return failover.ReplyAnswered, "no common way to log in"
	}
	return failover.ReplyUnanswered, "no answer"
}

// Classed returns err with its class in the chain and its text unchanged, so that
// failover.ReplyOf knows what it proves.
func Classed(err error) error {
	if err == nil || failover.ReplyOf(err) != failover.ReplyUnanswered {
		return err
	}
	reply, _ := Reply(err)
	switch reply {
	case failover.ReplyNotAsked:
		return As(health.ErrNotAsked, err)
	case failover.ReplyAnswered:
		return As(failover.ErrAnswered, err)
	case failover.ReplyReadOnly:
		return As(failover.ErrReadOnly, err)
	case failover.ReplyRefusesWrites:
		return As(failover.ErrRefusesWrites, err)
	}
	return err
}

// As returns err with a class in the chain and its text unchanged.
func As(class, err error) error { return classed{class, err} }

type classed struct{ class, err error }

func (c classed) Error() string   { return c.err.Error() }
func (c classed) Unwrap() []error { return []error{c.class, c.err} }

// Number returns the server's error number, 0 when no server has answered.
func Number(err error) uint16 {
	var server *mysql.MySQLError
	if errors.As(err, &server) {
		return server.Number
	}
	return 0
}

// Full reports whether a server has refused a connection because it has too many: then
// one that is open already still works.
func Full(err error) bool {
	switch Number(err) {
	case 1040, 1203, 1226, 1135, 1041:
		return true
	}
	return false
}

// Denied reports whether a server has refused the account, not the statement: then a
// session that is logged in already may still work.
func Denied(err error) bool {
	switch Number(err) {
	case 1044, 1045, 1129, 1130, 1251, 1698, 1820, 1862, 3118, 3159, 3955:
		return true
	}
	return false
}

// local reports whether the question failed on this side of the wire.
func local(err error) bool {
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var roots x509.SystemRootsError
	var verify *tls.CertificateVerificationError
	var addr *net.AddrError
	if errors.As(err, &authority) || errors.As(err, &host) || errors.As(err, &invalid) || errors.As(err, &roots) ||
		errors.As(err, &verify) || errors.As(err, &addr) {
		return true
	}
	for _, e := range []error{
		syscall.EMFILE, syscall.ENFILE, syscall.EADDRNOTAVAIL, syscall.ENOBUFS, syscall.ENOMEM, // this process has run out
		syscall.EACCES, syscall.EPERM, // it may not connect
		net.UnknownNetworkError(""), sql.ErrConnDone, sql.ErrTxDone, os.ErrPermission,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// handshake reports whether a server has answered, and the two could not agree on how to
// log in.
func handshake(err error) bool {
	var record tls.RecordHeaderError
	var alert tls.AlertError
	if errors.As(err, &record) || errors.As(err, &alert) {
		return true
	}
	for _, e := range []error{
		mysql.ErrNoTLS, mysql.ErrCleartextPassword, mysql.ErrNativePassword, mysql.ErrOldPassword, mysql.ErrUnknownPlugin,
		mysql.ErrOldProtocol, mysql.ErrPktTooLarge,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
