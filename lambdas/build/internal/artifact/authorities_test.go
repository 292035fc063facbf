package artifact_test

import (
	"archive/zip"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/lambdas/build/internal/artifact"
)

// certificate is a self-signed one, an authority's or not.
func certificate(t *testing.T, authority bool) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "a test"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: authority, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// The authorities of both members are packed as they are, beside the program, whether
// they lie in the module or are named.
func TestAuthoritiesArePacked(t *testing.T) {
	bundle := append(certificate(t, true), certificate(t, true)...)
	module := copyOf(t, standIn, "a")
	named := filepath.Join(t.TempDir(), "bundle.pem")
	require.NoError(t, os.WriteFile(named, bundle, 0o600))
	for name, c := range map[string]artifact.Config{
		"in the module": {Module: module, Functions: []string{"empty"}},
		"named":         {Module: standIn, Functions: []string{"empty"}, Authorities: named},
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, os.WriteFile(filepath.Join(module, artifact.Authorities), bundle, 0o600))
			built, err := artifact.Build(t.Context(), c)
			require.NoError(t, err)
			for _, a := range built {
				require.True(t, a.Trusts)
				first, _ := program(t, a.Zip, 1)
				require.Equal(t, "bootstrap", first.Name)
				z, err := zip.NewReader(bytes.NewReader(a.Zip), int64(len(a.Zip)))
				require.NoError(t, err)
				require.Equal(t, "rds-ca.pem", z.File[1].Name)
				require.Equal(t, os.FileMode(0o644), z.File[1].Mode())
				r, err := z.File[1].Open()
				require.NoError(t, err)
				data, err := io.ReadAll(r)
				require.NoError(t, err)
				require.Equal(t, bundle, data)
			}
		})
	}
	for _, a := range standIns(t) {
		require.False(t, a.Trusts)
	}
}

func TestAuthoritiesAreChecked(t *testing.T) {
	good := certificate(t, true)
	for name, test := range map[string]struct {
		file []byte
		want string
	}{
		"a web page":     {[]byte("<html>Access Denied</html>"), "it holds no certificate"},
		"empty":          {nil, "it holds no certificate"},
		"a server's":     {append(bytes.Clone(good), certificate(t, false)...), "certificate 2, of CN=a test, is no authority's"},
		"a key":          {pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte{1}}), "it holds a PRIVATE KEY"},
		"not one at all": {pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte{1}}), "certificate 1: "},
		"cut off":        {append(bytes.Clone(good), good[:len(good)/2]...), "after 1 certificates comes something else"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "bundle.pem")
			require.NoError(t, os.WriteFile(path, test.file, 0o600))
			err := artifact.Config{Module: standIn, Functions: []string{"empty"}, Authorities: path}.Validate()
			require.ErrorContains(t, err, path+": "+test.want)
			require.ErrorContains(t, err, "truststore.pki.rds.amazonaws.com")
		})
	}
	err := artifact.Config{Module: standIn, Functions: []string{"empty"}, Authorities: "/nowhere/bundle.pem"}.Validate()
	require.ErrorContains(t, err, "open /nowhere/bundle.pem")
	require.NoError(t, artifact.Config{Module: standIn, Functions: []string{"empty"}}.Validate())
}
