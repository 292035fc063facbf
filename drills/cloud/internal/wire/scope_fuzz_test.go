package wire_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/cloud/internal/wire"
)

// credential is the first credential of a header signed with Signature Version 4. An
// access key may have slashes; date, Region and service have none.
var credential = regexp.MustCompile(`^AWS4-HMAC-SHA256 (?:[^,]*,)*?[\s\v\pZ\x{85}]*Credential=([^,]*)`)

// FuzzScope reads any Authorization header. It is signed for one Region and service and
// names both, with a key and a date, or it has no scope; and what a signer writes, in
// either order, reads back.
func FuzzScope(f *testing.F) {
	for _, header := range []string{
		"AWS4-HMAC-SHA256 Credential=AK/20261122/us-west-2/rds/aws4_request, SignedHeaders=host, Signature=0",
		"AWS4-HMAC-SHA256 SignedHeaders=host,Credential=A/K/20261122/us-east-1/monitoring/aws4_request,Signature=",
		"", "Bearer x", "AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA256 Credential=", "AWS4-HMAC-SHA256 Credential=///us-west-2/rds/aws4_request",
		"AWS4-HMAC-SHA256 Credential=AK//us-west-2/rds/aws4_request", "AWS4-HMAC-SHA256 Credential=/20261122/us-west-2/rds/aws4_request",
		"AWS4-HMAC-SHA256 Credential=AK/20261122/us-west-2//aws4_request", "AWS4-HMAC-SHA256 Credential=AK/20261122/us-west-2/rds/aws3_request",
		"AWS4-HMAC-SHA256 Credential=us-west-2/rds/aws4_request", "AWS4-HMAC-SHA256 Credential=x, Credential=AK/20261122/us-west-2/rds/aws4_request",
		"AWS4-HMAC-SHA256 Credential=AK/20261122/us-west-2/rds/aws4_request/aws4_request",
	} {
		f.Add(header, "AKIDEXAMPLE", "us-west-2", "rds")
	}
	f.Fuzz(func(t *testing.T, header, key, region, service string) {
		got, ok := wire.ParseScope(header)
		if !ok {
			require.Zero(t, got)
		} else {
			m := credential.FindStringSubmatch(header)
			require.NotNil(t, m)
			fields := strings.Split(strings.TrimSpace(m[1]), "/")
			n := len(fields)
			require.GreaterOrEqual(t, n, 5)
			require.NotContains(t, []string{strings.Join(fields[:n-4], "/"), fields[n-4], got.Region, got.Service}, "")
			require.Equal(t, []string{got.Region, got.Service, "aws4_request"}, fields[n-3:])
		}

		for _, s := range []string{key, region, service} {
			if s == "" || strings.Contains(s, ",") {
				return // no signer writes these
			}
		}
		if strings.Contains(region+service, "/") {
			return
		}
		signed := "Credential=" + key + "/20261122/" + region + "/" + service + "/aws4_request"
		for _, header := range []string{signed + ", SignedHeaders=host, Signature=0", "SignedHeaders=host," + signed + ",Signature=0"} {
			got, ok := wire.ParseScope("AWS4-HMAC-SHA256 " + header)
			require.True(t, ok)
			require.Equal(t, wire.Scope{Region: region, Service: service}, got)
		}
	})
}
