package render_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/infra"
	"github.com/lifeboat-dr/lifeboat/pkg/infra/render"
)

// written renders a config into a folder.
func written(t *testing.T, c infra.Config, dir string) {
	t.Helper()
	files, err := render.Render(c, render.Options{})
	require.NoError(t, err)
	require.NoError(t, files.Write(dir))
}

func TestWriteRemovesWhatAnEarlierVersionLeftInAModule(t *testing.T) {
	dir := t.TempDir()
	written(t, config(), dir)
	old := filepath.Join(dir, "modules", "network", "vpc.tf")
	mine := filepath.Join(dir, "modules", "network", "notes.txt")
	override := filepath.Join(dir, "global", "override.tf")
	for _, path := range []string{old, mine, override} {
		require.NoError(t, os.WriteFile(path, []byte("x"), 0o644))
	}
	written(t, config(), dir)
	require.NoFileExists(t, old, "terraform would load it with the module")
	require.FileExists(t, mine)
	require.FileExists(t, override)
	require.FileExists(t, filepath.Join(dir, "modules", "network", "variables.tf"))
}

func TestWriteSaysWhereAndWhatToDo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	err := render.Files{"a.tf": nil}.Write(file)
	require.ErrorContains(t, err, "render: write into "+file)
	require.ErrorContains(t, err, "name a folder that can be written")
	require.ErrorContains(t, render.Files{}.Write(""), "no folder")
}

func TestLeftovers(t *testing.T) {
	dir := t.TempDir()
	left, err := render.Leftovers(filepath.Join(dir, "nowhere"), config())
	require.NoError(t, err)
	require.Empty(t, left)

	written(t, config(), dir)
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "mine"), 0o755))
	left, err = render.Leftovers(dir, config())
	require.NoError(t, err)
	require.Empty(t, left)

	c := config()
	c.WitnessRegion = infra.NoWitness
	left, err = render.Leftovers(dir, c)
	require.NoError(t, err)
	require.Equal(t, []string{"witness-us-east-2"}, left)

	_, err = render.Leftovers(dir, infra.Config{EnvironmentSuffix: "other"})
	require.ErrorContains(t, err, `holds "lifeboat-demo", and the config describes "lifeboat-other"`)
	require.ErrorContains(t, err, "a folder of its own")

	_, err = render.Leftovers(filepath.Join(dir, "README.md"), c)
	require.ErrorContains(t, err, "README.md")
}
