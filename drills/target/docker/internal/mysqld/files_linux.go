package mysqld

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// bootstrap makes the pristine data directory: system tables, accounts, schema.
func (s *Server) bootstrap(ctx context.Context) error {
	if err := os.MkdirAll(s.cfg.Dir, 0o755); err != nil {
		return fmt.Errorf("mysqld: bootstrap: %w", err)
	}
	p, err := run(s.cfg.Binary, s.cfg.bootstrapOptions(), s.out)
	if err != nil {
		return err
	}
	if err := p.finish(ctx); err != nil {
		return err
	}
	// A second process, because --initialize promises no account statements in
	// an --init-file.
	if p, err = run(s.cfg.Binary, s.cfg.setupOptions(), s.out); err != nil {
		return err
	}
	err = s.answers(ctx, p)
	if err == nil {
		err = s.Exec(ctx, append(setup(), "SHUTDOWN")...)
	}
	if err != nil {
		return errors.Join(err, p.kill())
	}
	if err := p.finish(ctx); err != nil {
		return err
	}
	// auto.cnf holds server_uuid: each copy must find its own.
	if err := os.Remove(filepath.Join(s.cfg.pristine(), "auto.cnf")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("mysqld: bootstrap: %w", err)
	}
	return nil
}

// restore replaces the data directory by a copy of the pristine one. The server must not run.
func (s *Server) restore() error {
	if err := os.RemoveAll(s.cfg.data()); err != nil {
		return fmt.Errorf("mysqld: restore: %w", err)
	}
	if err := copyTree(s.cfg.pristine(), s.cfg.data()); err != nil {
		return fmt.Errorf("mysqld: restore: %w", err)
	}
	return nil
}

func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o750)
		}
		return copyFile(path, filepath.Join(to, rel))
	})
}

func copyFile(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o640)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	_, err = io.Copy(out, in)
	return err
}
