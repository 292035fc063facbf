package deptest_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	fuzzTest = regexp.MustCompile(`(?m)^func (Fuzz\w+)\(`)
	fuzzName = regexp.MustCompile("`([\\w/-]+\\.Fuzz\\w+)`")
)

// CONTRIBUTING.md lists every fuzz test, and no other.
func TestEveryFuzzTestIsListed(t *testing.T) {
	var there []string
	root := filepath.Join("..", "..")
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		folder, err := filepath.Rel(root, filepath.Dir(path))
		for _, m := range fuzzTest.FindAllSubmatch(text, -1) {
			there = append(there, filepath.ToSlash(folder)+"."+string(m[1]))
		}
		return err
	}))
	text, err := os.ReadFile(filepath.Join(root, "CONTRIBUTING.md"))
	require.NoError(t, err)
	var listed []string
	for _, m := range fuzzName.FindAllSubmatch(text, -1) {
		listed = append(listed, string(m[1]))
	}
	require.NotEmpty(t, there)
	require.ElementsMatch(t, there, listed)
}
