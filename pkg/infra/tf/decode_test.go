package tf_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/infra/tf"
)

var update = flag.Bool("update", false, "rewrite testdata/events.txt")

// secret is in fixtures and states wherever terraform would put one.
const secret = "hunter2-never-print-me"

// The fixtures are recorded from terraform 1.11.4 with the stand-in provider, but for
// tofu, future, format2 and dump, which are made by hand after their sources.
func TestDecodeRecordedStreams(t *testing.T) {
	files, err := filepath.Glob("testdata/*.jsonl")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), 14)
	var got strings.Builder
	for _, file := range files {
		fmt.Fprintf(&got, "== %s\n", filepath.Base(file))
		f, err := os.Open(file)
		require.NoError(t, err)
		for event, err := range tf.Events(f) {
			if err != nil {
				fmt.Fprintf(&got, "error: %v\n", err)
				continue
			}
			fmt.Fprintf(&got, "%s\n", strings.TrimPrefix(fmt.Sprintf("%T %+v", event, event), "tf."))
		}
		require.NoError(t, f.Close())
	}
	require.NotContains(t, got.String(), secret)
	require.NotContains(t, got.String(), "never-show-provisioner-output: ")
	const golden = "testdata/events.txt"
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(got.String()), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), got.String(), "run with -update and read the difference")
}

func TestDecodeRefusesFormat2(t *testing.T) {
	for _, ui := range []string{"2.0", "", "x", "10.0", "0.1"} {
		_, err := tf.Decode([]byte(`{"type":"version","terraform":"2.0.0","ui":"` + ui + `"}`))
		var format *tf.FormatError
		require.ErrorAs(t, err, &format, "ui %q", ui)
		require.Equal(t, ui, format.UI)
		require.ErrorContains(t, err, "1.x")
	}
	for _, ui := range []string{"1.0", "1.2", "1.99", "1"} {
		event, err := tf.Decode([]byte(`{"type":"version","terraform":"1.99.0","ui":"` + ui + `"}`))
		require.NoError(t, err)
		require.Equal(t, tf.Version{Flavour: tf.Terraform, Version: "1.99.0", UI: ui}, event)
	}
}

func TestDecodeKeepsNoLine(t *testing.T) {
	for _, line := range []string{secret, `{"type":"log","@message":7,"x":"` + secret + `"}`, `{"type":"log","@message":"` + secret} {
		event, err := tf.Decode([]byte(line))
		require.Nil(t, event)
		var syntax *tf.SyntaxError
		require.ErrorAs(t, err, &syntax)
		require.NotContains(t, err.Error(), secret)
	}
}

func TestEventsStopsWhenTheReaderFails(t *testing.T) {
	broken := errors.New("broken pipe")
	var last error
	n := 0
	for _, err := range tf.Events(&failing{text: `{"type":"log","@message":"a"}` + "\n", err: broken}) {
		n, last = n+1, err
	}
	require.Equal(t, 2, n)
	require.ErrorIs(t, last, broken)
}

type failing struct {
	text string
	err  error
}

func (f *failing) Read(p []byte) (int, error) {
	if f.text == "" {
		return 0, f.err
	}
	n := copy(p, f.text)
	f.text = f.text[n:]
	return n, nil
}

// Whatever comes, Decode answers; and an output's value is in no event.
func FuzzDecode(f *testing.F) {
	files, err := filepath.Glob("testdata/*.jsonl")
	require.NoError(f, err)
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(f, err)
		for line := range strings.Lines(string(data)) {
			f.Add([]byte(line))
		}
	}
	f.Add([]byte(`{"type":"outputs","outputs":{"p":{"sensitive":true,"value":"` + secret + `"}}}`))
	f.Add([]byte(`{"type":"apply_progress","hook":{"elapsed_seconds":1e308}}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		event, err := tf.Decode(line)
		require.False(t, event != nil && err != nil, "an event or an error")
		switch e := event.(type) {
		case nil:
		case tf.OutputsKnown:
			require.LessOrEqual(t, len(e.Sensitive), len(e.Names))
		case tf.Progress:
			require.GreaterOrEqual(t, e.Elapsed, time.Duration(0))
		}
		if event != nil {
			require.NotContains(t, tf.Describe(event), "\x1b")
		}
	})
}

func TestOutputValuesAreNeverDecoded(t *testing.T) {
	event, err := tf.Decode([]byte(`{"type":"outputs","outputs":{"p":{"sensitive":true,"value":"` + secret + `"},"e":{"sensitive":false,"value":"` + secret + `"}}}`))
	require.NoError(t, err)
	require.Equal(t, tf.OutputsKnown{Names: []string{"e", "p"}, Sensitive: []string{"p"}}, event)
}
