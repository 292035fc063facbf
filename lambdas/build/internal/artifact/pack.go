package artifact

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// bootstrap is the program's name in a package (Lambda developer guide, "Building a
// custom runtime"), and epoch its time: the first one that zip can say.
const bootstrap = "bootstrap"

var epoch = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// Pack returns the zip with program as its only file, readable and executable by the
// user that Lambda runs it as. It depends on program and on the Go release alone.
func Pack(program []byte) ([]byte, error) {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(w, flate.BestCompression)
	})
	h := &zip.FileHeader{Name: bootstrap, Method: zip.Deflate, Modified: epoch}
	h.SetMode(0o755)
	w, err := z.CreateHeader(h)
	if err != nil {
		return nil, fmt.Errorf("pack: %w", err)
	}
	if _, err := w.Write(program); err != nil {
		return nil, fmt.Errorf("pack: %w", err)
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("pack: %w", err)
	}
	return out.Bytes(), nil
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
// and the checksums last: who is interrupted finds that they don't fit.
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
