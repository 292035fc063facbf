// Package deptest holds the import laws of the house: a diagram of layers rots,
// a test does not. The laws and their reasons are in laws_test.go.
package deptest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
)

// Module is the path of this module.
const Module = "github.com/lifeboat-dr/lifeboat"

// Package is what a law looks at.
type Package struct {
	ImportPath string
	Imports    []string // direct
	Deps       []string // everything it is compiled with
	Standard   bool
}

// Load lists the module's packages below dir with their dependencies.
func Load(dir string) ([]Package, error) {
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,Deps,Standard", "./...")
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return nil, fmt.Errorf("deptest: go list in %s: %w: %s", dir, err, exit.Stderr)
		}
		return nil, fmt.Errorf("deptest: go list in %s: %w", dir, err)
	}
	var packages []Package
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p Package
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return packages, nil
		} else if err != nil {
			return nil, fmt.Errorf("deptest: read go list: %w", err)
		}
		packages = append(packages, p)
	}
}

// Law says what the packages under a path may be compiled with.
type Law struct {
	// Under is a path of the module, such as "pkg/dr/health"; everything below it
	// is meant unless Only is set.
	Under string
	Only  bool
	// Except are paths below Under that have a law of their own.
	Except []string
	// Forbid lists prefixes of import paths. "std-only" forbids every path outside
	// the standard library but for Allow.
	Forbid []string
	Allow  []string
	// Exact has Allow mean the packages that it names, and not those below them.
	Exact bool
	// Direct looks at the package's own imports, not at what they bring along.
	Direct bool
	Why    string
}

// StdOnly in Forbid stands for everything outside the standard library.
const StdOnly = "std-only"

// Broken returns a line for every import that breaks the law.
func (l Law) Broken(packages []Package) []string {
	var broken []string
	for _, p := range packages {
		if !l.governs(p.ImportPath) {
			continue
		}
		deps := p.Deps
		if l.Direct {
			deps = p.Imports
		}
		for _, dep := range deps {
			if l.forbids(dep) {
				broken = append(broken, fmt.Sprintf("%s is compiled with %s: %s", strings.TrimPrefix(p.ImportPath, Module+"/"), dep, l.Why))
			}
		}
	}
	return broken
}

func (l Law) governs(path string) bool {
	if l.Only {
		return path == inModule(l.Under)
	}
	for _, e := range l.Except {
		if under(path, inModule(e)) {
			return false
		}
	}
	return under(path, inModule(l.Under))
}

func (l Law) forbids(dep string) bool {
	for _, a := range l.Allow {
		if dep == inModule(a) || !l.Exact && under(dep, inModule(a)) {
			return false
		}
	}
	for _, f := range l.Forbid {
		if f == StdOnly {
			if first, _, _ := strings.Cut(dep, "/"); strings.Contains(first, ".") {
				return true
			}
			continue
		}
		if under(dep, inModule(f)) {
			return true
		}
	}
	return false
}

// inModule turns a path of the house into an import path.
func inModule(path string) string {
	if path == "" {
		return Module
	}
	if first, _, _ := strings.Cut(path, "/"); strings.Contains(first, ".") {
		return path
	}
	return Module + "/" + path
}

func under(path, root string) bool { return path == root || strings.HasPrefix(path, root+"/") }
