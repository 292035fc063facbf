// Package covered adds coverage profiles up: how many statements of each package some test
// has run, whichever package that test is in.
package covered

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Share is what of a package was run.
type Share struct {
	Package    string
	Statements int
	Run        int
}

// Percent is 0 for a package without statements.
func (s Share) Percent() float64 { return 100 * float64(s.Run) / float64(max(s.Statements, 1)) }

// String implements fmt.Stringer.
func (s Share) String() string {
	return fmt.Sprintf("%5.1f %%  %s (%d of %d statements)", s.Percent(), s.Package, s.Run, s.Statements)
}

// block is a stretch of statements, as the go command writes it.
type block struct {
	statements int
	run        bool
}

// Add reads profiles of go test -coverprofile. A block that stands there several times, once
// for each test binary, counts once, and as run when one of them has run it.
func Add(profiles ...io.Reader) ([]Share, error) {
	blocks := make(map[string]block)
	for n, p := range profiles {
		lines := bufio.NewScanner(p)
		for at := 1; lines.Scan(); at++ {
			line := lines.Text()
			if strings.HasPrefix(line, "mode: ") || line == "" {
				continue
			}
			f := strings.Fields(line)
			if len(f) != 3 || !strings.Contains(f[0], ".go:") {
				return nil, fmt.Errorf("covered: profile %d, line %d: %q is no block: give what go test -coverprofile has written", n+1, at, line)
			}
			statements, err1 := strconv.Atoi(f[1])
			count, err2 := strconv.ParseUint(f[2], 10, 64)
			if err := cmp.Or(err1, err2); err != nil {
				return nil, fmt.Errorf("covered: profile %d, line %d: %w", n+1, at, err)
			}
			blocks[f[0]] = block{statements, blocks[f[0]].run || count > 0}
		}
		if err := lines.Err(); err != nil {
			return nil, fmt.Errorf("covered: read profile %d: %w", n+1, err)
		}
	}
	sums := make(map[string]Share)
	for at, b := range blocks {
		file, _, _ := strings.Cut(at, ":")
		s := sums[path.Dir(file)]
		s.Package, s.Statements = path.Dir(file), s.Statements+b.statements
		if b.run {
			s.Run += b.statements
		}
		sums[s.Package] = s
	}
	out := make([]Share, 0, len(sums))
	for _, s := range sums {
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b Share) int { return strings.Compare(a.Package, b.Package) })
	return out, nil
}

// Judge returns the shares of some packages, and an error that names those below a
// percentage. A package that no profile names was not measured, which is an error, too.
func Judge(shares []Share, least float64, of []string) ([]Share, error) {
	var out []Share
	var low []string
	for _, name := range of {
		at := slices.IndexFunc(shares, func(s Share) bool { return s.Package == name })
		if at < 0 {
			return out, fmt.Errorf("covered: no profile names %s: give it to go test -coverpkg", name)
		}
		out = append(out, shares[at])
		if shares[at].Percent() < least {
			low = append(low, name)
		}
	}
	if len(low) > 0 {
		return out, fmt.Errorf("covered: tests run less than %v %% of the statements of %s", least, strings.Join(low, ", "))
	}
	return out, nil
}
