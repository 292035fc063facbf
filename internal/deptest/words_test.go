package deptest_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// actorless finds words that hide which process, person or Region does something, in
// sentences and in identifiers. http.NoBody is Go's.
var actorless = regexp.MustCompile(`(?i)http\.NoBody\b|nobody|somebody|whoever`)

// hidden returns the places of a text that name no actor, each with its line.
func hidden(name, text string) (found []string) {
	for i, line := range strings.Split(text, "\n") {
		for _, word := range actorless.FindAllString(line, -1) {
			if word != "http.NoBody" {
				found = append(found, fmt.Sprintf("%s:%d: %q", name, i+1, word))
			}
		}
	}
	return found
}

func TestASentenceWithoutAnActorIsFound(t *testing.T) {
	for text, want := range map[string][]string{
		"a\nNobody acts, and somebody asks.": {`f:2: "Nobody"`, `f:2: "somebody"`},
		"func TestWhoeverAsks(":              {`f:1: "Whoever"`},
		"http.NoBody\nanyone":                nil,
		"http.NoBody for nobody":             {`f:1: "nobody"`},
	} {
		require.Equal(t, want, hidden("f", text), text)
	}
}

// Code, documents and infrastructure are written so that a sentence says who does what.
// Exempt are this law, recordings, and what tests and drills write.
func TestEverySentenceNamesItsActor(t *testing.T) {
	root := filepath.Join("..", "..")
	exempt := []string{"drills/out", "internal/deptest/words_test.go", "shared"}
	var found []string
	read := 0
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		generated := name != "." && strings.HasPrefix(d.Name(), ".") || strings.HasSuffix(name, "testdata/histories")
		switch {
		case d.IsDir() && (generated || slices.Contains(exempt, name)):
			return filepath.SkipDir
		case d.IsDir(), slices.Contains(exempt, name):
			return nil
		case d.Name() != "Makefile" && !slices.Contains([]string{".go", ".md", ".tf", ".hcl", ".yaml"}, filepath.Ext(name)):
			return nil
		}
		text, err := os.ReadFile(path)
		read++
		found = append(found, hidden(name, string(text))...)
		return err
	}))
	require.Greater(t, read, 500)
	require.Empty(t, found, "write who does what: name the process, the person, the caller or the Region, or say that there is none")
}
