package artifact

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Names in a package: the program (Lambda developer guide, "Building a custom runtime")
// and, beside it, the authorities that package boot looks for.
const (
	bootstrap   = "bootstrap"
	authorities = "rds-ca.pem"
)

// epoch is the time of every file: the first one that zip can say.
var epoch = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// Pack returns the zip of a program that every user may run and, unless it is nil, of the
// PEM file that it trusts databases by. It depends on both and on the Go release alone.
func Pack(program, ca []byte) ([]byte, error) {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(w, flate.BestCompression)
	})
	err := add(z, bootstrap, 0o755, program)
	if ca != nil {
		err = errors.Join(err, add(z, authorities, 0o644, ca))
	}
	if err := errors.Join(err, z.Close()); err != nil {
		return nil, fmt.Errorf("pack: %w", err)
	}
	return out.Bytes(), nil
}

func add(z *zip.Writer, name string, mode fs.FileMode, data []byte) error {
	h := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: epoch}
	h.SetMode(mode)
	w, err := z.CreateHeader(h)
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	return err
}

// Sums returns the packages' checksums as sha256sum prints them.
func Sums(built []Artifact) []byte {
	var out bytes.Buffer
	for _, a := range built {
		fmt.Fprintf(&out, "%x  %s\n", sha256.Sum256(a.Zip), a.Name)
	}
	return out.Bytes()
}

// Write puts the packages and their checksums into dir. Each file is replaced whole,
// and the checksums last: after an interruption they don't match the packages.
func Write(dir string, built []Artifact) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("write the packages: %w", err)
	}
	for _, a := range built {
		if err := replace(filepath.Join(dir, a.Name), a.Zip); err != nil {
			return fmt.Errorf("write the packages: %w", err)
		}
	}
	if err := replace(filepath.Join(dir, SumsFile), Sums(built)); err != nil {
		return fmt.Errorf("write the checksums: %w", err)
	}
	return nil
}

// replace writes beside path and renames: a reader sees the old file or the new one.
func replace(path string, data []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(data)
	if err = errors.Join(err, f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
