package infra

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unicode"
)

// snake turns a field's Go name into its key: AWSRegion into aws_region.
func snake(name string) string {
	var b strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		// A word begins at an upper-case letter that follows a lower-case one, and at
		// the last letter of a run of upper-case ones when a lower-case one follows.
		if i > 0 && unicode.IsUpper(r) && (unicode.IsLower(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// keyPaths are the paths of all keys.
var keyPaths = func() []string {
	var paths []string
	var walk func(t reflect.Type, prefix string)
	walk = func(t reflect.Type, prefix string) {
		for f := range t.Fields() {
			path := join(prefix, snake(f.Name))
			paths = append(paths, path)
			if f.Type.Kind() == reflect.Struct {
				walk(f.Type, path)
			}
		}
	}
	walk(reflect.TypeFor[Config](), "")
	return paths
}()

func join(prefix, key string) string {
	if prefix == "" {
		return key
	}
	return prefix + "." + key
}

// suggest says which known key was probably meant by one that isn't.
func suggest(key, prefix string, known []string) string {
	if len(key) > 64 { // no typing error, and the distance would take long
		return "known here are " + strings.Join(known, ", ")
	}
	best, distance := "", 1+len(key)/3
	for _, k := range known {
		if d := edits(plain(key), plain(k)); d <= distance && (best == "" || d < distance) {
			best, distance = k, d
		}
	}
	if best != "" {
		return fmt.Sprintf("did you mean %q?", join(prefix, best))
	}
	for _, path := range keyPaths {
		if plain(path[strings.LastIndex(path, ".")+1:]) == plain(key) {
			return fmt.Sprintf("did you mean %q?", path)
		}
	}
	return "known here are " + strings.Join(known, ", ")
}

// plain drops what people spell differently: case, hyphens, underscores.
func plain(key string) string {
	return strings.NewReplacer("_", "", "-", "", " ", "").Replace(strings.ToLower(key))
}

// edits is the Levenshtein distance in bytes; every known key is ASCII.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := corner
			if a[i] != b[j] {
				change++
			}
			corner = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
