package aurora_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/aurora"
)

// site is a Region's servers on one port of loopback, told apart by the name that the
// client demands of the certificate; and the name server that knows where they are.
type site struct {
	names
	port  string
	roots *x509.CertPool

	mu      sync.Mutex
	servers map[string]*server // by host; nil hangs up
}

func newSite(t *testing.T, hosts map[string]*server) *site {
	t.Helper()
	r := &site{roots: x509.NewCertPool(), servers: hosts}
	r.wrong = map[string]func(*dns.Msg){}
	has := make(map[string]*tls.Certificate)
	for host := range hosts {
		c, authority := certificate(t, host)
		has[host] = &c
		r.roots.AddCert(authority)
	}
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
			wg.Go(func() { r.serve(c, has) })
		}
	})
	_, r.port, err = net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	return r
}

// put changes what is behind a host's name.
func (r *site) put(host string, s *server) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.servers[host] = s
}

// serve speaks MySQL's protocol for one connection: queries, in text.
func (r *site) serve(raw net.Conn, has map[string]*tls.Certificate) {
	defer raw.Close() //nolint:errcheck // it ends here
	greetTLS(raw)
	var host string
	c := tls.Server(raw, &tls.Config{GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		host = hello.ServerName
		return has[host], nil
	}})
	if _, _, err := packet(c); err != nil { // the login
		return
	}
	r.mu.Lock()
	s := r.servers[host]
	r.mu.Unlock()
	if s == nil || reply(c, 3, accepted(0)) != nil {
		return
	}
	session, err := s.Connect(context.Background())
	if err != nil {
		return
	}
	defer session.Close() //nolint:errcheck // in memory
	for {
		command, _, err := packet(c)
		if err != nil || command[0] != 3 { // COM_QUERY
			return
		}
		if reply(c, 1, ask(session.(*conn), string(command[1:]))...) != nil {
			return
		}
	}
}

var beats = regexp.MustCompile(`SELECT '([^']+)' AS region, (\d+) AS epoch`)

// ask runs a query on the server in memory.
func ask(c *conn, query string) [][]byte {
	if query == "SET time_zone = '+00:00'" {
		return [][]byte{accepted(0)}
	}
	var args []driver.NamedValue
	if m := beats.FindStringSubmatch(query); m != nil {
		epoch, _ := strconv.ParseInt(m[2], 10, 64)
		args = []driver.NamedValue{{Value: m[1]}, {Value: epoch}}
	}
	rows, n, err := c.run(context.Background(), query, args)
	switch {
	case err != nil:
		refused := &mysql.MySQLError{Number: 1105, Message: err.Error()} // ER_UNKNOWN_ERROR
		errors.As(err, &refused)
		return [][]byte{append([]byte{0xff, byte(refused.Number), byte(refused.Number >> 8)}, "#HY000"+refused.Message...)}
	case query[:6] == "SELECT":
		return table(rows)
	}
	return [][]byte{accepted(byte(n))}
}

func accepted(affected byte) []byte { return []byte{0, affected, 0, 2, 0, 0, 0} }

// table is a result in text: columns, their end, rows, their end.
func table(rows [][]driver.Value) [][]byte {
	columns := 1
	if len(rows) > 0 {
		columns = len(rows[0])
	}
	out := [][]byte{{byte(columns)}}
	for range columns {
		out = append(out, []byte("\x03def\x00\x00\x00\x01x\x00\x0c\x2d\x00\x00\x01\x00\x00\xfd\x00\x00\x00\x00\x00"))
	}
	end := []byte{0xfe, 0, 0, 2, 0}
	out = append(out, end)
	for _, row := range rows {
		var line []byte
		for _, v := range row {
			if b, is := v.(bool); is {
				v = map[bool]int{true: 1}[b]
			}
			text := fmt.Sprint(v)
			line = append(append(line, byte(len(text))), text...)
		}
		out = append(out, line)
	}
	return append(out, end)
}

// packet reads one of MySQL's.
func packet(c io.Reader) (body []byte, number byte, err error) {
	head := make([]byte, 4)
	if _, err := io.ReadFull(c, head); err != nil {
		return nil, 0, err
	}
	body = make([]byte, int(head[0])|int(head[1])<<8|int(head[2])<<16)
	_, err = io.ReadFull(c, body)
	return body, head[3], err
}

// reply writes packets, numbered from first.
func reply(c io.Writer, first byte, bodies ...[]byte) error {
	var all []byte
	for i, b := range bodies {
		all = append(append(all, byte(len(b)), byte(len(b)>>8), 0, first+byte(i)), b...)
	}
	_, err := c.Write(all)
	return err
}

// pool leads to a cluster endpoint and its reader endpoint.
func (r *site) pool(t *testing.T, cluster, reader string) *sql.DB {
	t.Helper()
	db, err := aurora.OpenMySQL(aurora.MySQLConfig{
		Source: &source{resolve: func(context.Context) (aurora.MySQLTarget, error) {
			return aurora.MySQLTarget{Addr: cluster + ":" + r.port, Reader: reader + ":" + r.port, User: "u"}, nil
		}},
		Dial: r.dialer(t), TLS: &tls.Config{RootCAs: r.roots, MinVersion: tls.VersionTLS12},
		Timeout: 5 * time.Second, ReadTimeout: 5 * time.Second,
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}
