package aurora_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/aurora"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// names is a name server on loopback. It knows loopback's IPv4 address for every name,
// says at once that there is none for IPv6, and does otherwise what wrong says.
type names struct {
	mu    sync.Mutex
	wrong map[string]func(*dns.Msg) // by name, for IPv4; nil says nothing at all
	asked []string
	dials []string
}

// dialer returns one that asks a new name server.
func (n *names) dialer(t *testing.T) func(context.Context, string, string) (net.Conn, error) {
	t.Helper()
	packets, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	started := make(chan struct{})
	server := &dns.Server{PacketConn: packets, Handler: n, NotifyStartedFunc: func() { close(started) }}
	var wg sync.WaitGroup
	wg.Go(func() { _ = server.ActivateAndServe() })
	t.Cleanup(func() { _ = server.Shutdown(); wg.Wait() })
	<-started
	d := net.Dialer{Resolver: &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", packets.LocalAddr().String())
	}}}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		n.mu.Lock()
		n.dials = append(n.dials, address)
		n.mu.Unlock()
		return d.DialContext(ctx, network, address)
	}
}

func (n *names) ServeDNS(w dns.ResponseWriter, question *dns.Msg) {
	q := question.Question[0]
	answer := new(dns.Msg).SetReply(question)
	answer.RecursionAvailable = true
	n.mu.Lock()
	n.asked = append(n.asked, q.Name+" "+dns.TypeToString[q.Qtype])
	wrong, is := n.wrong[q.Name]
	n.mu.Unlock()
	switch {
	case q.Qtype != dns.TypeA:
	case !is:
		answer.Answer = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: q.Name, Rrtype: dns.TypeA, Class: dns.ClassINET}, A: net.IPv4(127, 0, 0, 1)}}
	case wrong == nil:
		return
	default:
		wrong(answer)
	}
	_ = w.WriteMsg(answer)
}

// greeter is a MySQL server that tells which name it is asked for by and then hangs up.
func greeter(t *testing.T, greet func(net.Conn)) (port string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var wg sync.WaitGroup
	t.Cleanup(func() { _ = l.Close(); wg.Wait() })
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			greet(c)
			_ = c.Close()
		}
	})
	_, port, err = net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	return port
}

// certificate is of a host, and its own authority.
func certificate(t *testing.T, host string) (tls.Certificate, *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{host}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	leaf, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, leaf
}

// The crux: a reader is asked only when the cluster endpoint's name does not exist. A
// writer that is silent, refuses or resets stays a writer, and so does one whose name a
// name server can't look up.
func TestAReaderIsAskedOnlyWhenTheClusterEndpointDoesNotExist(t *testing.T) {
	const cluster, reader = "orders.cluster-abc.test", "orders.cluster-ro-abc.test"
	code := func(rcode int) func(*dns.Msg) { return func(m *dns.Msg) { m.Rcode = rcode } }
	roots := x509.NewCertPool()
	writerHas, authority := certificate(t, cluster)
	roots.AddCert(authority)
	readerHas, authority := certificate(t, reader)
	roots.AddCert(authority)
	greets := func(has tls.Certificate) func(net.Conn) {
		return func(c net.Conn) {
			greetTLS(c)
			_ = tls.Server(c, &tls.Config{Certificates: []tls.Certificate{has}}).Handshake()
		}
	}
	const theWriter, theReader = "writer", "reader"
	for name, c := range map[string]struct {
		writer func(net.Conn)
		wrong  map[string]func(*dns.Msg)
		asked  string // empty: no server
	}{
		"a writer":                        {greets(writerHas), nil, theWriter},
		"a writer that resets":            {func(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0) }, nil, theWriter},
		"a writer that is frozen":         {func(c net.Conn) { _, _ = c.Read(make([]byte, 1)) }, nil, theWriter},
		"a writer that refuses":           {nil, nil, ""},
		"no such name":                    {greets(writerHas), map[string]func(*dns.Msg){cluster: code(dns.RcodeNameError)}, theReader},
		"no address":                      {greets(writerHas), map[string]func(*dns.Msg){cluster: code(dns.RcodeSuccess)}, theReader},
		"a name server that fails":        {greets(writerHas), map[string]func(*dns.Msg){cluster: code(dns.RcodeServerFailure)}, ""},
		"a name server that refuses":      {greets(writerHas), map[string]func(*dns.Msg){cluster: code(dns.RcodeRefused)}, ""},
		"a name server that says nothing": {greets(writerHas), map[string]func(*dns.Msg){cluster: nil}, ""},
		"no reader either":                {greets(writerHas), map[string]func(*dns.Msg){cluster: code(dns.RcodeNameError), reader: code(dns.RcodeNameError)}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			asked := make(chan string, 4)
			tells := func(who string, greet func(net.Conn)) func(net.Conn) {
				return func(c net.Conn) { asked <- who; greet(c) }
			}
			closed, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			require.NoError(t, closed.Close())
			_, port, _ := net.SplitHostPort(closed.Addr().String())
			if c.writer != nil {
				port = greeter(t, tells(theWriter, c.writer))
			}
			n := &names{wrong: map[string]func(*dns.Msg){}}
			for host, wrong := range c.wrong {
				n.wrong[host+"."] = wrong
			}
			s := &source{resolve: func(context.Context) (aurora.MySQLTarget, error) {
				return aurora.MySQLTarget{
					Addr: cluster + ":" + port, Reader: reader + ":" + greeter(t, tells(theReader, greets(readerHas))), User: "u",
				}, nil
			}}
			db, err := aurora.OpenMySQL(aurora.MySQLConfig{
				Source: s, Dial: n.dialer(t), TLS: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
				Timeout: 400 * time.Millisecond, ReadTimeout: 400 * time.Millisecond,
			})
			require.NoError(t, err)
			defer db.Close() //nolint:errcheck // nothing was opened
			err = db.PingContext(t.Context())
			require.Error(t, err)
			require.NotErrorIs(t, err, health.ErrNotAsked)
			// Each certificate is for its own host, so the right name was demanded of it.
			require.NotErrorAs(t, err, new(*tls.CertificateVerificationError))
			require.Len(t, s.failed, 1, "a source is told once, of the end")

			if c.asked != "" {
				require.Equal(t, c.asked, <-asked)
			}
			require.Empty(t, asked)
			n.mu.Lock()
			defer n.mu.Unlock()
			for _, q := range n.asked {
				require.Contains(t, []string{cluster + ". A", reader + ". A"}, q, "one question for a name: of two, the quicker answer would hide the other's failure")
			}
			require.Equal(t, cluster+".:"+port, n.dials[0], "absolute, or search domains are tried first")
		})
	}
}

// Without a reader nothing changes: the name may be completed by a search domain.
func TestWithoutAReaderANameIsTakenAsItIs(t *testing.T) {
	n := &names{wrong: map[string]func(*dns.Msg){"db.test.": func(m *dns.Msg) { m.Rcode = dns.RcodeNameError }}}
	s := &source{resolve: func(context.Context) (aurora.MySQLTarget, error) {
		return aurora.MySQLTarget{Addr: "db.test:1", User: "u"}, nil
	}}
	db, err := aurora.OpenMySQL(aurora.MySQLConfig{Source: s, Dial: n.dialer(t)})
	require.NoError(t, err)
	defer db.Close() //nolint:errcheck // nothing was opened
	var absent *net.DNSError
	require.ErrorAs(t, db.PingContext(t.Context()), &absent)
	require.True(t, absent.IsNotFound)
	require.Equal(t, "db.test:1", n.dials[0])
}

// An address that is a number has no name to be absent.
func TestAReaderBesideANumber(t *testing.T) {
	n := &names{}
	s := &source{resolve: func(context.Context) (aurora.MySQLTarget, error) {
		return aurora.MySQLTarget{Addr: "127.0.0.1:1", Reader: "127.0.0.1:2", User: "u"}, nil
	}}
	db, err := aurora.OpenMySQL(aurora.MySQLConfig{Source: s, Dial: n.dialer(t)})
	require.NoError(t, err)
	defer db.Close() //nolint:errcheck // nothing was opened
	require.ErrorContains(t, db.PingContext(t.Context()), "refused")
	require.Equal(t, []string{"127.0.0.1:1"}, n.dials)

	s.resolve = func(context.Context) (aurora.MySQLTarget, error) {
		return aurora.MySQLTarget{Addr: "db.test:1", Reader: "nohost", User: "u"}, nil
	}
	require.ErrorIs(t, db.PingContext(t.Context()), health.ErrNotAsked)
	require.Len(t, n.dials, 1)
}
