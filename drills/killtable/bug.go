package killtable

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Bug is a fault in the code, and the test that must see it.
type Bug struct {
	// Name says in a few words what is wrong. It is unique.
	Name string
	// Room is where it belongs in the table: "controller", "guard", "evidence",
	// "adapters", "functions" or "harness".
	Room string
	// File is changed, relative to the module's root: Old, which must be in it exactly
	// once, becomes New.
	File, Old, New string
	// Why says what the bug would do.
	Why string
	// Package and Test name the test that must fail, such as "./pkg/dr/failover" and
	// "TestSwitchover".
	Package, Test string
	// Says is in the output of the test when it has failed for the right reason.
	Says string
}

var testName = regexp.MustCompile(`^Test\w+$`)

// Validate reports everything that is wrong with the bug.
func (b Bug) Validate() error {
	var errs []error
	bad := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("killtable: bug %q: "+format, append([]any{b.Name}, args...)...))
	}
	for field, value := range map[string]string{"Name": b.Name, "Room": b.Room, "File": b.File, "Old": b.Old, "Why": b.Why, "Says": b.Says} {
		if strings.TrimSpace(value) == "" {
			bad("%s is empty", field)
		}
	}
	if !filepath.IsLocal(b.File) {
		bad("File %q is not below the module's root", b.File)
	}
	if b.Old == b.New {
		bad("Old and New are the same: nothing would change")
	}
	if !strings.HasPrefix(b.Package, "./") {
		bad("Package is %q: begin with ./", b.Package)
	}
	if !testName.MatchString(b.Test) {
		bad("Test is %q: give the name of one top-level test", b.Test)
	}
	return errors.Join(errs...)
}

// Plant writes the changed file and the overlay that puts it in place into dir, and
// returns the overlay's path. It fails when the bug can't be built in any more.
func (b Bug) Plant(root, dir string) (overlay string, err error) {
	original := filepath.Join(root, b.File)
	text, err := os.ReadFile(original)
	if err != nil {
		return "", fmt.Errorf("killtable: bug %q can't be built in any more: %w: adapt it to the code", b.Name, err)
	}
	if n := strings.Count(string(text), b.Old); n != 1 {
		return "", fmt.Errorf("killtable: bug %q can't be built in any more: its old text is %d times in %s, not once: adapt it to the code", b.Name, n, b.File)
	}
	changed := filepath.Join(dir, filepath.Base(b.File))
	if err := os.WriteFile(changed, []byte(strings.Replace(string(text), b.Old, b.New, 1)), 0o644); err != nil {
		return "", fmt.Errorf("killtable: bug %q: %w", b.Name, err)
	}
	list, err := json.Marshal(map[string]map[string]string{"Replace": {original: changed}})
	if err != nil {
		return "", fmt.Errorf("killtable: bug %q: %w", b.Name, err)
	}
	overlay = filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(overlay, list, 0o644); err != nil {
		return "", fmt.Errorf("killtable: bug %q: %w", b.Name, err)
	}
	return overlay, nil
}
