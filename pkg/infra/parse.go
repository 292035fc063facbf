package infra

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// maxFile is far above any real file and keeps a wrong path from filling memory.
const maxFile = 1 << 20

// Load reads a Config from a YAML or JSON file of at most 1 MiB. See [Parse].
func Load(path string) (Config, error) {
	data, err := read(path)
	if err != nil {
		return Config{}, err
	}
	return Parse(path, data)
}

func read(path string) ([]byte, error) {
	whole := func(problem, hint string) error {
		return &ParseError{File: path, Problem: problem, Hint: hint}
	}
	if path == "" {
		return nil, errors.New("infra: load the configuration: no path: name a YAML or JSON file")
	}
	f, err := os.Open(path)
	if err != nil {
		hint := "name a readable file"
		if errors.Is(err, fs.ErrNotExist) {
			hint = "examples/deploy/default.yaml is one to begin with"
		}
		return nil, fmt.Errorf("infra: load the configuration: %w: %s", err, hint)
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, whole("is a folder", "name the file in it")
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("infra: load the configuration: %w: name a readable file", err)
	}
	return data, nil
}

// Parse reads a Config from YAML or JSON; name stands for the file in errors. It
// fills in no default and judges no value: that is [Config.WithDefaults] and
// [Config.Validate].
//
// It is strict, because a key that is accepted and ignored is a lie about what runs:
// unknown and doubled keys, values of the wrong type, several documents, anchors and
// aliases are refused, and so is a number 0, which would silently become a default.
// A key without a value is the same as no key. All problems are reported at once, as
// an errors.Join of [*ParseError]; the Config is then zero.
func Parse(name string, data []byte) (Config, error) {
	root, err := document(name, data)
	if err != nil {
		return Config{}, err
	}
	var c Config
	d := decoder{file: name}
	d.config(root, &c)
	if err := errors.Join(d.errs...); err != nil {
		return Config{}, err
	}
	return c, nil
}

// document returns the root of the only document.
func document(name string, data []byte) (*yaml.Node, error) {
	refuse := func(line int, problem, hint string) error {
		return &ParseError{File: name, Line: line, Problem: problem, Hint: hint}
	}
	const empty = "give at least environment_suffix; examples/deploy/default.yaml shows every key"
	if len(data) > maxFile {
		return nil, refuse(0, fmt.Sprintf("is larger than %d bytes", maxFile), "is it the right file?")
	}
	if !utf8.Valid(data) {
		return nil, refuse(1+bytes.Count(data[:badByte(data)], []byte("\n")), "is not UTF-8", "save it as UTF-8")
	}
	if json.Valid(data) {
		// JSON may be indented by tabs, YAML not. Outside of its strings a tab is a
		// space, and inside it can't stand.
		data = bytes.ReplaceAll(data, []byte("\t"), []byte(" "))
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var doc, more yaml.Node
	switch err := decoder.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil, refuse(0, "is empty", empty)
	case err != nil:
		return nil, syntax(name, err)
	}
	switch err := decoder.Decode(&more); {
	case errors.Is(err, io.EOF):
	case err != nil:
		return nil, syntax(name, err)
	default:
		return nil, refuse(more.Line, "a second document begins", "a file describes one deployment; keep one document")
	}
	root := doc.Content[0]
	if null(root) {
		return nil, refuse(0, "is empty", empty)
	}
	return root, nil
}

// badByte returns the index of the first byte that is not UTF-8.
func badByte(data []byte) int {
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size <= 1 {
			return i
		}
		i += size
	}
	return len(data)
}

var yamlLine = regexp.MustCompile(`^line (\d+): `)

// syntax gives an error of the YAML library the form of all others.
func syntax(name string, err error) error {
	text, line := strings.TrimPrefix(err.Error(), "yaml: "), 0
	problem := "is neither YAML nor JSON"
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1])
		text = text[len(m[0]):]
		problem += " near this line" // the library is off by one for some errors
	}
	return &ParseError{File: name, Line: line, Problem: problem, Hint: text}
}
