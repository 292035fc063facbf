package aurora_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/aurora"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// source answers as its functions say and keeps what failed.
type source struct {
	resolve func(context.Context) (aurora.MySQLTarget, error)
	mu      sync.Mutex
	failed  []error
}

func (s *source) Resolve(ctx context.Context) (aurora.MySQLTarget, error) { return s.resolve(ctx) }

func (s *source) Failed(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed = append(s.failed, err)
}

var errBook = errors.New("the book is closed")

func TestWhatIsNotFoundIsNotAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{}
		var dialled []string
		db, err := aurora.OpenMySQL(aurora.MySQLConfig{Source: s, Dial: func(_ context.Context, _, addr string) (net.Conn, error) {
			dialled = append(dialled, addr)
			return nil, errors.New("refused")
		}})
		require.NoError(t, err)
		defer db.Close() //nolint:errcheck // nothing was opened

		for name, resolve := range map[string]func(context.Context) (aurora.MySQLTarget, error){
			"an error": func(context.Context) (aurora.MySQLTarget, error) { return aurora.MySQLTarget{}, errBook },
			"a deadline": func(ctx context.Context) (aurora.MySQLTarget, error) {
				<-ctx.Done()
				return aurora.MySQLTarget{}, ctx.Err()
			},
			"no address": func(context.Context) (aurora.MySQLTarget, error) { return aurora.MySQLTarget{User: "u"}, nil },
			"too late": func(context.Context) (aurora.MySQLTarget, error) {
				<-time.After(800 * time.Millisecond)
				return aurora.MySQLTarget{Addr: "db:3306", User: "u"}, nil
			},
		} {
			s.resolve = resolve
			ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
			err := db.PingContext(ctx)
			cancel()
			require.ErrorIs(t, err, health.ErrNotAsked, name)
			require.Empty(t, dialled, name)
			require.Empty(t, s.failed, name)
		}

		s.resolve = func(context.Context) (aurora.MySQLTarget, error) {
			<-time.After(700 * time.Millisecond)
			return aurora.MySQLTarget{Addr: "db:3306", User: "u", Password: "hunter2"}, nil
		}
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		err = db.PingContext(ctx)
		require.ErrorContains(t, err, "refused")
		require.NotErrorIs(t, err, health.ErrNotAsked, "what was asked counts")
		require.Equal(t, []string{"db:3306"}, dialled)
		require.Len(t, s.failed, 1)
	})
}

// A password that can't be had says as little of the server.
func TestAPasswordThatIsNotToBeHadIsNotTheServersFault(t *testing.T) {
	db, err := aurora.OpenMySQL(aurora.MySQLConfig{Addr: "127.0.0.1:1", User: "u", Password: func(context.Context) (string, error) { return "", context.DeadlineExceeded }})
	require.NoError(t, err)
	defer db.Close() //nolint:errcheck // nothing was opened
	require.ErrorIs(t, db.PingContext(t.Context()), health.ErrNotAsked)
}

// A connection string in the place of an address has a password in it.
func TestNoErrorQuotesAnAddress(t *testing.T) {
	const hush = "Zq7Xk9Lw2Vb4"
	for _, given := range []string{
		hush, "u:" + hush, "u:" + hush + "@tcp(db:3306)/x", "mysql://u:" + hush + "@db:3306", "[" + hush, "[" + hush + "]", ":" + hush, "db:" + hush, "db:3306:" + hush, hush + ":0", hush + ":",
	} {
		_, err := aurora.OpenMySQL(aurora.MySQLConfig{Addr: given, User: "u"})
		require.ErrorContains(t, err, "give host:port", given)
		require.NotContains(t, err.Error(), hush)

		for name, target := range map[string]aurora.MySQLTarget{"address": {Addr: given, User: "u"}, "reader": {Addr: "db:1", Reader: given, User: "u"}} {
			s := &source{resolve: func(context.Context) (aurora.MySQLTarget, error) { return target, nil }}
			db, err := aurora.OpenMySQL(aurora.MySQLConfig{Source: s})
			require.NoError(t, err)
			err = db.PingContext(t.Context())
			require.ErrorIs(t, err, health.ErrNotAsked, name)
			require.NotContains(t, err.Error(), hush)
			require.NoError(t, db.Close())
		}
	}
}

func TestASourceTakesThePlaceOfTheRest(t *testing.T) {
	_, err := aurora.OpenMySQL(aurora.MySQLConfig{Source: &source{}, Addr: "db:3306"})
	require.ErrorContains(t, err, "leave them empty")
}

// The certificate must be that of the host that was resolved, whichever that is.
func TestTheCertificateIsTheResolvedHosts(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"one.test", "two.test"}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	leaf, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	roots := x509.NewCertPool()
	roots.AddCert(leaf)

	asked := make(chan string, 1)
	s := &source{}
	var servers sync.WaitGroup
	defer servers.Wait()
	db, err := aurora.OpenMySQL(aurora.MySQLConfig{
		Source: s, TLS: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		Dial: func(context.Context, string, string) (net.Conn, error) {
			client, server := net.Pipe()
			servers.Go(func() {
				defer server.Close() //nolint:errcheck // a pipe
				greetTLS(server)
				c := tls.Server(server, &tls.Config{
					Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
					GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
						asked <- hello.ServerName
						return nil, nil
					},
				})
				_ = c.Handshake()
			})
			return client, nil
		},
	})
	require.NoError(t, err)
	defer db.Close() //nolint:errcheck // nothing was opened
	for host, right := range map[string]bool{"one.test": true, "two.test": true, "other.test": false} {
		s.resolve = func(context.Context) (aurora.MySQLTarget, error) {
			return aurora.MySQLTarget{Addr: host + ":3306", User: "u"}, nil
		}
		err := db.PingContext(t.Context())
		require.Equal(t, host, <-asked)
		var wrong x509.HostnameError
		require.Equal(t, !right, errors.As(err, &wrong), "%s: %v", host, err)
	}
}

// greetTLS is a server's first packet, with CLIENT_SSL, and its wait for the request to
// encrypt (MySQL internals manual, connection phase).
func greetTLS(c net.Conn) {
	body := "\x0a8.0.0\x00\x01\x00\x00\x00saltsalt\x00\x00\x8a\xff\x02\x00\x08\x00\x15\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00saltsaltsalt\x00mysql_native_password\x00"
	_, _ = c.Write(append([]byte{byte(len(body)), 0, 0, 0}, body...))
	_, _ = c.Read(make([]byte, 36)) // header, capabilities, packet size, charset, filler
}
