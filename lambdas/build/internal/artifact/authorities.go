package artifact

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Authorities is where the PEM file of RDS's authorities is looked for in the module,
// when [Config] names none.
const Authorities = "lambdas/rds-ca.pem"

// authoritiesOf reads the PEM file to be packed: nil when none is named and none is
// where it is looked for.
func (c Config) authoritiesOf() ([]byte, error) {
	path := c.Authorities
	if path == "" {
		path = filepath.Join(c.Module, filepath.FromSlash(Authorities))
	}
	data, err := os.ReadFile(path)
	if c.Authorities == "" && errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		err = checkAuthorities(data)
	}
	if err != nil {
		return nil, fmt.Errorf("authorities: %w: give RDS's bundles of the member Regions, https://truststore.pki.rds.amazonaws.com/<region>/<region>-bundle.pem, one after the other", errIn(path, err))
	}
	return data, nil
}

func errIn(path string, err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p // says the path itself
	}
	return fmt.Errorf("%s: %w", path, err)
}

// checkAuthorities refuses what no connection could be trusted by: a page that was
// downloaded in the bundle's place, a certificate of something else, a key.
func checkAuthorities(data []byte) error {
	found := 0
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			return fmt.Errorf("it holds a %s", block.Type)
		}
		found++
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return fmt.Errorf("certificate %d: %w", found, err)
		}
		if !cert.IsCA {
			return fmt.Errorf("certificate %d, of %s, is no authority's", found, cert.Subject)
		}
	}
	switch {
	case found == 0:
		return errors.New("it holds no certificate")
	case len(bytes.TrimSpace(data)) > 0:
		return fmt.Errorf("after %d certificates comes something else", found)
	}
	return nil
}
