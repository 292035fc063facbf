package tf_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/infra/tf"
)

// script writes a binary that answers as told.
func script(t *testing.T, body string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "terraform")
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n"+body+"\n"), 0o755))
	return path
}

func TestFindReal(t *testing.T) {
	t.Parallel()
	b := find(t)
	require.Equal(t, tf.Terraform, b.Flavour)
	require.True(t, filepath.IsAbs(b.Path))
	onPath, err := tf.Find(t.Context(), tf.FindOptions{Environ: environ("PATH=" + filepath.Dir(b.Path))})
	require.NoError(t, err)
	require.Equal(t, b, onPath)
}

func TestFindFlavourAndFloor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, body string
		flavour    tf.Flavour
		version    string
		err        string
	}{
		{name: "terraform", body: replace("Terraform", "1.17.1"), flavour: tf.Terraform, version: "1.17.1"},
		{name: "opentofu, whose json says terraform", body: replace("OpenTofu", "1.11.0"), flavour: tf.OpenTofu, version: "1.11.0"},
		{name: "a release candidate of the floor", body: replace("Terraform", "1.11.0-rc1"), flavour: tf.Terraform, version: "1.11.0-rc1"},
		{name: "too old", body: replace("Terraform", "1.10.5"), err: "is version 1.10.5, at least 1.11.0 is needed"},
		{name: "tofu too old", body: replace("OpenTofu", "1.10.0"), err: "is version 1.10.0"},
		{name: "before -json", body: `[ "$2" = -json ] && exit 1; echo "Terraform v0.11.14"`, err: "is version 0.11.14"},
		{name: "something else", body: "echo hello", err: "does not say its version"},
		{name: "breaks", body: "exit 1", err: "does not say its version"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := script(t, c.body)
			b, err := tf.Find(t.Context(), tf.FindOptions{ExecPath: path})
			if c.err == "" {
				require.NoError(t, err)
				require.Equal(t, tf.Binary{Path: path, Version: c.version, Flavour: c.flavour}, b)
				return
			}
			var version *tf.VersionError
			require.ErrorAs(t, err, &version)
			require.ErrorContains(t, err, c.err)
			require.Equal(t, path, version.Path)
			require.Equal(t, tf.MinVersion, version.Need)
		})
	}
}

func replace(name, version string) string {
	return `[ "$2" = -json ] && echo '{"terraform_version": "` + version + `"}' || echo "` + name + " v" + version + `"`
}

func TestFindNothing(t *testing.T) {
	t.Parallel()
	empty := t.TempDir()
	write(t, empty+"/file", "")
	for _, o := range []tf.FindOptions{
		{Environ: environ("PATH=" + empty)},
		{Environ: environ("PATH=.:relative")},
		{ExecPath: filepath.Join(empty, "terraform")},
		{ExecPath: filepath.Join(empty, "file")},
		{ExecPath: empty},
	} {
		_, err := tf.Find(t.Context(), o)
		require.ErrorIs(t, err, tf.ErrNotFound)
	}
}

func TestFindGivesUpWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := tf.Find(ctx, tf.FindOptions{ExecPath: script(t, "exec sleep 5")})
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

// A download is made only when asked for, of one exact version, and not in place of a
// binary that is there but too old.
func TestFindDownloadsOnlyWhenAsked(t *testing.T) {
	t.Parallel()
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path)
		http.Error(w, "no", http.StatusNotFound)
	}))
	defer server.Close()
	empty := environ("PATH=" + t.TempDir())
	_, err := tf.Find(t.Context(), tf.FindOptions{Environ: empty, BaseURL: server.URL})
	require.ErrorIs(t, err, tf.ErrNotFound)
	require.Empty(t, asked)

	old := script(t, replace("Terraform", "1.5.7"))
	_, err = tf.Find(t.Context(), tf.FindOptions{Environ: environ("PATH=" + filepath.Dir(old) + ":/bin:/usr/bin"), BaseURL: server.URL, Install: true})
	var version *tf.VersionError
	require.ErrorAs(t, err, &version)
	require.Empty(t, asked)

	_, err = tf.Find(t.Context(), tf.FindOptions{Environ: empty, BaseURL: server.URL, Install: true, InstallDir: t.TempDir()})
	require.ErrorIs(t, err, tf.ErrNotFound)
	require.ErrorContains(t, err, "install terraform "+tf.InstallVersion)
	require.NotEmpty(t, asked)
	require.Contains(t, asked[0], "/terraform/"+tf.InstallVersion)
}
