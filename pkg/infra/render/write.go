package render

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/lifeboat-dr/lifeboat/pkg/infra"
)

// Write writes the files into a folder, which is created if need be. Files that are
// there already are replaced only when they differ; others are left alone, because
// states, plans and other units' outputs may stand beside them. The exception are .tf
// files in the folders of the modules: one that an earlier version of Lifeboat left
// there would be part of the module, so it is removed.
func (f Files) Write(dir string) error {
	if dir == "" {
		return errors.New("render: write: no folder: name the one to render into")
	}
	for _, name := range slices.Sorted(maps.Keys(f)) {
		to := filepath.Join(dir, filepath.FromSlash(name))
		if old, err := os.ReadFile(to); err == nil && string(old) == string(f[name]) {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return writeError(dir, err)
		}
		if err := os.WriteFile(to, f[name], 0o644); err != nil {
			return writeError(dir, err)
		}
	}
	return f.removeLeft(dir)
}

func writeError(dir string, err error) error {
	return fmt.Errorf("render: write into %s: %w: name a folder that can be written, and render again", dir, err)
}

func (f Files) removeLeft(dir string) error {
	folders := map[string]bool{}
	for name := range f {
		if strings.HasPrefix(name, "modules/") {
			folders[path.Dir(name)] = true
		}
	}
	for _, folder := range slices.Sorted(maps.Keys(folders)) {
		entries, err := os.ReadDir(filepath.Join(dir, filepath.FromSlash(folder)))
		if err != nil {
			return writeError(dir, err)
		}
		for _, e := range entries {
			name := folder + "/" + e.Name()
			if f[name] != nil || !strings.HasSuffix(name, ".tf") {
				continue
			}
			if err := os.Remove(filepath.Join(dir, filepath.FromSlash(name))); err != nil {
				return writeError(dir, err)
			}
		}
	}
	return nil
}

// stateKey finds in a unit's versions.tf whose state it is.
var stateKey = regexp.MustCompile(`(?m)^ +key += "([^"/]+)/([^"/]+)\.tfstate"$`)

// Leftovers returns the units in a folder that an earlier config was rendered into and
// that c has no more, such as a witness that was taken out: their folders, states and
// resources are still there, and nothing that is done for c touches them. A folder that
// holds another deployment is an error, because the units of the two would mix. One
// that doesn't exist holds nothing.
func Leftovers(dir string, c infra.Config) ([]string, error) {
	var now []string
	for _, u := range c.Units() {
		now = append(now, u.Name)
	}
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("render: look into %s: %w: name a folder to render into", dir, err)
	}
	var left []string
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name(), "versions.tf"))
		if err != nil {
			continue // no unit
		}
		found := stateKey.FindSubmatch(data)
		switch {
		case found == nil || string(found[2]) != e.Name():
		case string(found[1]) != c.EnvironmentSuffix:
			return nil, fmt.Errorf("render: %s holds %q, and the config describes %q: render each deployment into a folder of its own; a new suffix makes a new deployment and renames nothing",
				dir, infra.Config{EnvironmentSuffix: string(found[1])}.Name(), c.Name())
		case !slices.Contains(now, e.Name()):
			left = append(left, e.Name())
		}
	}
	return left, nil
}
