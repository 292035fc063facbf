package wire_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/cloud/internal/wire"
)

// value reads one JSON value the way encoding/json does: the oracle's shape.
func value(d *wire.Decoder, raw string) (any, error) {
	switch strings.TrimLeft(raw, " \t\r\n")[:1] {
	case `"`:
		return d.String()
	case "t", "f":
		return d.Bool()
	}
	return nil, d.Skip()
}

func TestDecoder(t *testing.T) {
	d := wire.NewDecoder([]byte(` { "a" : [ 1 , -2.5e+3 , {"b":null} ] , "s" : "x\u00e9\ud83d\ude00\n" , "yes" : true , "n" : 42, "none": null } `))
	got := map[string]any{}
	require.NoError(t, d.Object(func(key string) (err error) {
		switch key {
		case "s":
			got[key], err = d.String()
		case "yes":
			got[key], err = d.Bool()
		case "n":
			got[key], err = d.Int()
		case "none":
			err = d.Array(func() error { return d.Skip() })
		default:
			err = d.Skip()
		}
		return err
	}))
	require.NoError(t, d.End())
	require.Equal(t, map[string]any{"s": "xé😀\n", "yes": true, "n": 42}, got)
}

func TestDecoderRefuses(t *testing.T) {
	for _, s := range []string{
		``, `{`, `{"a"}`, `{"a":}`, `{"a":1,}`, `[1,]`, `[1 2]`, `"`, `"\x"`, `"\u12"`, "\"\n\"", `01`, `1.`, `1e`, `-`, `tru`, `nul`, `{} x`, `{1:2}`,
		strings.Repeat("[", 200) + strings.Repeat("]", 200),
	} {
		d := wire.NewDecoder([]byte(s))
		err := d.Skip()
		if err == nil {
			err = d.End()
		}
		require.Error(t, err, s)
	}
	_, err := wire.NewDecoder([]byte("1.5")).Int()
	require.Error(t, err)
}

// FuzzDecoder compares with encoding/json: what is valid, and what strings
// mean.
func FuzzDecoder(f *testing.F) {
	for _, s := range []string{`{"a":[1,2,{"b":"c"}]}`, `"\ud800\u0041"`, `"\ud83d\ude00"`, `-0.5E-7`, `[true,false,null]`, "\"\xff\"", `"\/\b\f"`, ` "x" `} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if strings.Count(s, "[")+strings.Count(s, "{") > 100 {
			return // deeper than this decoder goes
		}
		d := wire.NewDecoder([]byte(s))
		err := d.Skip()
		if err == nil {
			err = d.End()
		}
		require.Equal(t, json.Valid([]byte(s)), err == nil, "%q: %v", s, err)
		if err != nil {
			return
		}
		got, err := value(wire.NewDecoder([]byte(s)), s)
		require.NoError(t, err)
		if got != nil {
			var want any
			require.NoError(t, json.Unmarshal([]byte(s), &want))
			require.Equal(t, want, got)
		}
	})
}

// FuzzAppendString holds that what is written reads back.
func FuzzAppendString(f *testing.F) {
	for _, s := range []string{"", "x", "é\"\\\n\x00", "\xff\xfe", "\u2028", "a\xc3"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		b := wire.AppendString(nil, s)
		var got string
		require.NoError(t, json.Unmarshal(b, &got), "%s", b)
		require.Equal(t, string([]rune(s)), got, "%q", b) // invalid bytes become U+FFFD
	})
}
