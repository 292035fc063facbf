package bench_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// root is the module's folder as seen from here.
const root = "../../.."

// function is a program that is measured.
type function struct {
	name, from  string
	event       string
	environment func(tb testing.TB, name string) []string
}

// tick is a scheduled rule's event (EventBridge user guide), cut to what identifies it.
const tick = `{"version":"0","id":"53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa","detail-type":"Scheduled Event","source":"aws.events",` +
	`"account":"123456789012","time":"2026-01-01T00:00:00Z","region":"us-west-2","resources":["arn:aws:events:us-west-2:123456789012:rule/tick"],"detail":{}}`

// deployed is what the function of that name finds in a member. Its databases refuse
// connections: nothing after the first call is measured.
func deployed(tb testing.TB, name string) []string {
	env := []string{
		"AWS_LAMBDA_FUNCTION_NAME=lifeboat-bench-" + name,
		"LIFEBOAT_GLOBAL_CLUSTER=lifeboat-bench", "LIFEBOAT_MEMBERS=us-east-1,us-west-2", "LIFEBOAT_WITNESS=us-east-2",
		"LIFEBOAT_LEASE_TABLE=lifeboat-bench-lease", "LIFEBOAT_TOPIC_ARN=arn:aws:sns:us-west-2:123456789012:lifeboat-bench",
		"LIFEBOAT_SECRET_ARN=arn:aws:secretsmanager:us-west-2:123456789012:secret:lifeboat-bench-AbCdEf", "LIFEBOAT_POLICY={}",
		"LIFEBOAT_DATABASES=us-west-2=127.0.0.1:1", "LIFEBOAT_READERS=us-west-2=127.0.0.1:1", "LIFEBOAT_ENDPOINT=127.0.0.1:1",
		"LIFEBOAT_DATABASE_CA=" + authorities(tb),
	}
	if name == "health-monitor" {
		env = append(env, "LIFEBOAT_ADMIN_SECRET_ARN=arn:aws:secretsmanager:us-west-2:123456789012:secret:lifeboat-bench-admin-AbCdEf")
	}
	return env
}

func nothing(testing.TB, string) []string { return nil }

var functions = []function{
	{"floor", "lambdas/build/bench/testdata/floor", "{}", nothing},
	{"health-monitor", "lambdas/health-monitor", tick, deployed},
	{"failover-trigger", "lambdas/failover-trigger", `{"mode":"failover","target_region":"us-west-2","reason":"measured"}`, deployed},
}

// authorities writes a bundle of six certificates, three for each member: to read it
// is part of a start.
func authorities(tb testing.TB) string {
	tb.Helper()
	var bundle []byte
	for i := range int64(6) {
		key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
		require.NoError(tb, err)
		template := &x509.Certificate{
			SerialNumber: big.NewInt(i + 1), Subject: pkix.Name{CommonName: fmt.Sprint("authority ", i)},
			NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		}
		der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		require.NoError(tb, err)
		bundle = append(bundle, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	path := filepath.Join(tb.TempDir(), "rds-ca.pem")
	require.NoError(tb, os.WriteFile(path, bundle, 0o600))
	return path
}

// compile builds a function for this machine as `make lambdas` builds it for Lambda.
func compile(tb testing.TB, f function) string {
	tb.Helper()
	if runtime.GOOS != "linux" {
		tb.Skip("memory is read from /proc")
	}
	program := filepath.Join(tb.TempDir(), "bootstrap")
	cmd := exec.CommandContext(tb.Context(), "go", "build", "-trimpath", "-buildvcs=false", "-tags", "lambda.norpc", "-ldflags", "-s -w", "-o", program, "./"+f.from)
	cmd.Dir, cmd.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	require.NoError(tb, err, "%s", out)
	return program
}

// BenchmarkStart prints, in milliseconds, the median and the slowest time to the first
// question for work and to the first call, and the most memory in MB.
func BenchmarkStart(b *testing.B) {
	for _, f := range functions {
		b.Run(f.name, func(b *testing.B) {
			program, env := compile(b, f), f.environment(b, f.name)
			run(b, program, f.event, env) // the first one reads the program from disk
			var next, call []time.Duration
			var most float64
			for b.Loop() {
				s := run(b, program, f.event, env)
				next, call, most = append(next, s.next), append(call, s.call), max(most, s.resident)
			}
			b.ReportMetric(0, "ns/op") // of this program, not of the measured one
			b.ReportMetric(ms(median(next)), "ms-to-next")
			b.ReportMetric(ms(median(call)), "ms-to-call")
			b.ReportMetric(ms(slices.Max(call)), "ms-to-call-max")
			b.ReportMetric(most, "MB-resident")
		})
	}
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// mostMemory is what a function may hold when it begins to act, in MB.
const mostMemory = 40

// Every function starts, asks for an event, acts on it, and is small. Its times are
// the benchmark's: on a busy machine they would say nothing.
func TestStart(t *testing.T) {
	for _, f := range functions {
		t.Run(f.name, func(t *testing.T) {
			s := run(t, compile(t, f), f.event, f.environment(t, f.name))
			require.Less(t, s.next, s.call)
			require.Less(t, s.resident, float64(mostMemory))
			t.Logf("asks for work after %v, calls %s after %v, holds %.1f MB", s.next, s.asked, s.call, s.resident)
		})
	}
}
