package boot_test

import (
	"bytes"
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/invoker"
	"github.com/lifeboat-dr/lifeboat/lambdas/function/monitor"
	"github.com/lifeboat-dr/lifeboat/lambdas/function/trigger"
	"github.com/lifeboat-dr/lifeboat/lambdas/internal/boot"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/aurora"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// certificates writes a PEM file of one authority.
func certificates(t testing.TB) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	a := &x509.Certificate{SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, a, a, key.Public(), key)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "rds-ca.pem")
	require.NoError(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	return path
}

// cloud answers every call with an empty object and keeps what was called.
type cloud struct {
	*httptest.Server
	mu    sync.Mutex
	calls []string // place and what was asked there
	peer  string   // what us-east-1 has announced
	// reader is its other half; empty means the same as peer.
	reader string
	mute   string // the place that doesn't answer
}

func newCloud(t *testing.T) *cloud {
	c := &cloud{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if strings.Contains(r.URL.Path, "/peer-dynamodb") {
			w.WriteHeader(http.StatusServiceUnavailable) // the other member's replica: the local one is enough
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.mute != "" && strings.Contains(r.URL.Path, c.mute) {
			c.mu.Unlock()
			<-r.Context().Done()
			c.mu.Lock()
			return
		}
		if r.Header.Get("X-Amz-Security-Token") == "hush-token" && strings.Contains(r.Header.Get("Authorization"), "AKIDEXAMPLE") {
			c.calls = append(c.calls, strings.TrimSuffix(r.URL.Path, "/")+"/ "+r.Header.Get("X-Amz-Target")+string(body))
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		if strings.Contains(r.URL.Path, "/secrets") {
			user := "lifeboat"
			if strings.Contains(string(body), "-master-") {
				user = "root"
			}
			_ = json.NewEncoder(w).Encode(map[string]string{"SecretString": secret(user, "hush-password")})
			return
		}
		if c.peer != "" && strings.Contains(string(body), "address#us-east-1") {
			_, _ = fmt.Fprintf(w, `{"Item":{"sk":{"S":"address#us-east-1"},"address":{"S":%q},"reader":{"S":%q}}}`, c.peer, cmp.Or(c.reader, c.peer))
			return
		}
		_, _ = w.Write([]byte("{}"))
	}))
	t.Cleanup(c.Close)
	return c
}

// called returns the calls so far that contain a text.
func (c *cloud) called(text string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, call := range c.calls {
		if strings.Contains(call, text) {
			n++
		}
	}
	return n
}

// assemble builds a function of a Region whose AWS is c.
func assemble(t *testing.T, c *cloud, r dr.Region, f boot.Function, more map[string]string) *boot.Parts {
	t.Helper()
	env := environment(r, f)
	maps.Copy(env, map[string]string{"LIFEBOAT_DATABASE_CA": certificates(t), "AWS_ENDPOINT_URL": c.URL + "/other"})
	for _, service := range []string{"RDS", "DYNAMODB", "CLOUDWATCH", "SNS", "SECRETS_MANAGER", "LAMBDA"} {
		env["AWS_ENDPOINT_URL_"+service] = c.URL + "/" + strings.ToLower(strings.ReplaceAll(service, "_MANAGER", "s"))
	}
	env["AWS_ENDPOINT_URL_SECRETS_MANAGER"] = c.URL + "/secrets"
	for _, m := range []string{"US_EAST_1", "US_WEST_2"} {
		env["LIFEBOAT_ENDPOINT_URL_RDS_"+m] = c.URL + "/rds-" + m
	}
	for _, m := range []dr.Region{east, west} {
		if m != r {
			env["LIFEBOAT_ENDPOINT_URL_DYNAMODB_"+strings.ToUpper(strings.ReplaceAll(m.String(), "-", "_"))] = c.URL + "/peer-dynamodb"
		}
	}
	maps.Copy(env, more)
	s, err := parse(f, env)
	require.NoError(t, err)
	var lines bytes.Buffer
	trace, err := boot.Events(s, &lines)
	require.NoError(t, err)
	p, err := boot.New(s, trace, nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	require.Zero(t, c.called(""), "nothing is asked before it is needed")
	runs(t, p, s)
	return p
}

// runs requires that the parts are those of the function, and all that it needs.
func runs(t *testing.T, p *boot.Parts, s boot.Settings) {
	t.Helper()
	_, asMonitor := monitor.New(p.Monitor)
	_, asTrigger := trigger.New(p.Trigger)
	if s.Function == boot.Trigger {
		asMonitor, asTrigger = asTrigger, asMonitor
	}
	require.NoError(t, asMonitor)
	require.Error(t, asTrigger, "a function has the parts of one")
	if s.Function == boot.Monitor {
		_, member := p.Monitor.Agent.(monitor.Member)
		require.Equal(t, s.Member(), member)
	}
}

// witnessOf is what the witness's monitor runs.
func witnessOf(p *boot.Parts) monitor.Witness { return p.Monitor.Agent.(monitor.Witness) }

// memberOf is what a member's monitor runs.
func memberOf(p *boot.Parts) monitor.Member { return p.Monitor.Agent.(monitor.Member) }

func TestAMonitorOfAMember(t *testing.T) {
	c := newCloud(t)
	p := assemble(t, c, west, boot.Monitor, nil)
	require.NotNil(t, p.Announcer)
	require.Len(t, memberOf(p).Probers, 3)
	require.Len(t, p.Tables, 2, "a member uses its own replica, and the peer's beside it")
	p.Announcer.Run(t.Context())
	require.Equal(t, 1, c.called(`"address":{"S":"west.cluster-def.us-west-2.rds.amazonaws.com:3307"}`))
	require.Equal(t, 1, c.called(`"reader":{"S":"here.cluster-ro-abc.us-west-2.rds.amazonaws.com:3306"}`), "the peer's guard asks a secondary there")

	_, err := memberOf(p).Leaser.ReadLease(t.Context())
	require.ErrorIs(t, err, failover.ErrNoLease)
	require.Equal(t, 2, c.called("/dynamodb/ DynamoDB_20120810.GetItem"), "the address before it is announced, and the lease")
	d := memberOf(p).Mover.(failover.ByTrigger).Trigger.(*invoker.Invoker)
	require.NoError(t, d.Ask(t.Context(), "r"))
	require.Eventually(t, func() bool {
		return c.called("/lambda/2015-03-31/functions/lifeboat-prod-failover-trigger/invocations") == 1
	}, time.Minute, time.Millisecond)
	require.NoError(t, d.HangUp())
	memberOf(p).Probers[0].Probe(t.Context(), east)
	require.Positive(t, c.called("/rds-US_EAST_1/"))
	require.Zero(t, c.called("/rds-US_WEST_2/"))
	require.Zero(t, c.called("/other"), "a service's own variable goes before the one for all")
	_ = p.Monitor.Role.Redirect(t.Context(), west, 2) // the answer is no answer of CloudWatch's
	require.Positive(t, c.called("/cloudwatch/"))
}

func TestATriggerOfAMember(t *testing.T) {
	p := assemble(t, newCloud(t), west, boot.Trigger, nil)
	require.Nil(t, p.Announcer, "the monitor announces")
}

func TestAMonitorOfTheWitness(t *testing.T) {
	c := newCloud(t)
	p := assemble(t, c, witness, boot.Monitor, map[string]string{
		"LIFEBOAT_DATABASE_CA": "/nowhere", "LIFEBOAT_ENDPOINT_URL_DYNAMODB_US_EAST_1": c.URL + "/dynamodb-east", "LIFEBOAT_ENDPOINT_URL_DYNAMODB_US_WEST_2": c.URL + "/dynamodb-west",
	})
	require.Nil(t, p.Keep, "there is no database to keep connections to")
	require.Nil(t, p.Monitor.Role)
	require.Len(t, witnessOf(p).Probers, 1, "it stands outside any VPC")
	_, err := witnessOf(p).Leaser.ReadLease(t.Context())
	require.ErrorIs(t, err, failover.ErrNoLease)
	// The first read asks both members, and the answer of either ends the other one's request.
	require.Positive(t, c.called("/dynamodb-east/")+c.called("/dynamodb-west/"))
	require.Zero(t, c.called("/dynamodb/"), "its own replica can't be read")
	o := witnessOf(p).Probers[0].Probe(t.Context(), east)
	require.Equal(t, health.Witness, o[0].Family)

	near := assemble(t, newCloud(t), witness, boot.Monitor, map[string]string{"LIFEBOAT_DATABASES": "us-east-1=a,us-west-2=b"})
	require.Len(t, witnessOf(near).Probers, 2, "in a drill it can reach the servers")
}

// denier is a MySQL server that refuses every login and keeps who has asked.
type denier struct {
	address string
	mu      sync.Mutex
	users   []string
}

func newDenier(t *testing.T) *denier {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	d := &denier{address: l.Addr().String()}
	var wg sync.WaitGroup
	t.Cleanup(func() { _ = l.Close(); wg.Wait() })
	packet := func(seq byte, body string) []byte {
		return append([]byte{byte(len(body)), byte(len(body) >> 8), 0, seq}, body...)
	}
	// Protocol 10, version, thread 1, salt, capabilities PROTOCOL_41, SECURE_CONNECTION
	// and PLUGIN_AUTH (MySQL internals manual, connection phase packets).
	hello := "\x0a8.0.0\x00\x01\x00\x00\x00saltsalt\x00\x00\x82\xff\x02\x00\x08\x00\x15" + strings.Repeat("\x00", 10) + "saltsaltsalt\x00mysql_native_password\x00"
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write(packet(0, hello))
			login := make([]byte, 4096)
			n, _ := c.Read(login)
			const before = 4 + 32 // header; capabilities, packet size, charset, filler
			if n > before {
				user, _, _ := strings.Cut(string(login[before:n]), "\x00")
				d.mu.Lock()
				d.users = append(d.users, user)
				d.mu.Unlock()
			}
			_, _ = c.Write(packet(2, "\xff\x15\x04#28000Access denied"))
			_ = c.Close()
		}
	})
	return d
}

// asked returns who has asked since the last time.
func (d *denier) asked() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	users := d.users
	d.users = nil
	return users
}

func TestEachAccountHasItsWorkAndItsSecret(t *testing.T) {
	c, server := newCloud(t), newDenier(t)
	p := assemble(t, c, west, boot.Monitor, map[string]string{
		"LIFEBOAT_DIALECT": "mysql", "LIFEBOAT_DATABASE_CA": "none", "LIFEBOAT_DATABASES": "us-east-1=" + server.address + ",us-west-2=" + server.address,
	})
	beat := func() error {
		return memberOf(p).Guard.Beater.Beat(t.Context(), failover.Beat{Region: west, Epoch: 1, Seq: 1})
	}
	err := beat()
	require.ErrorContains(t, err, "Access denied")
	require.NotContains(t, err.Error(), "hush")
	require.Equal(t, []string{"lifeboat"}, server.asked(), "read_only binds who writes heartbeats")
	require.Equal(t, 1, c.called("/secrets/ secretsmanager.GetSecretValue"))
	require.Zero(t, c.called("-master-"))

	require.ErrorContains(t, memberOf(p).Guard.Fencer.Fence(t.Context(), 1), "Access denied")
	require.Equal(t, []string{"root"}, server.asked())
	require.ErrorContains(t, memberOf(p).Guard.Fencer.Open(t.Context(), 1), "Access denied")
	require.Equal(t, []string{"root"}, server.asked())
	_, err = memberOf(p).Guard.Replica.Replicated(t.Context(), west)
	require.ErrorContains(t, err, "Access denied")
	memberOf(p).Probers[1].Probe(t.Context(), east)
	require.Equal(t, []string{"lifeboat", "lifeboat", "lifeboat"}, server.asked())
	require.ErrorContains(t, memberOf(p).Bootstrapper.Install(t.Context()), "Access denied")
	require.Equal(t, []string{"root"}, server.asked(), "only the admin may create an account")
	require.Equal(t, 1, c.called("-master-"), "a denial is followed after a while")
	require.Equal(t, 1, c.called("-monitor-"))
}

func TestADeniedAccountHasItsOwnSecretReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &vault{value: secret("lifeboat", "first")}
		l := boot.NewLogin("arn", "lifeboat", v)
		s := boot.NewServer("db:3306", l)
		got, err := s.Resolve(t.Context())
		require.NoError(t, err)
		require.Equal(t, aurora.MySQLTarget{Addr: "db:3306", User: "lifeboat", Password: "first"}, got)
		v.set(func(v *vault) { v.value = secret("lifeboat", "second") })
		<-time.After(time.Minute)
		s.Failed(errDenied)
		got, err = s.Resolve(t.Context())
		require.NoError(t, err)
		require.Equal(t, "second", got.Password)
	})
}

func TestAFileWithoutCertificatesIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rds-ca.pem")
	require.NoError(t, os.WriteFile(path, []byte("<html>"), 0o600))
	env := environment(west, boot.Monitor)
	env["LIFEBOAT_DATABASE_CA"] = path
	s, err := parse(boot.Monitor, env)
	require.NoError(t, err)
	_, err = boot.New(s, nil, nil)
	require.ErrorContains(t, err, "holds no certificate in PEM")
}
