package attr_test

import (
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/cloud/internal/attr"
	"github.com/lifeboat-dr/lifeboat/drills/cloud/internal/wire"
)

func TestNumber(t *testing.T) {
	for in, want := range map[string]string{
		"0": "0", "-0": "0", "007": "7", "+5": "5", "1.50": "1.5", "1e3": "1000", "15e-1": "1.5", "-0.00120": "-0.0012", "100": "100", "1E125": "1" + strings.Repeat("0", 125),
		"99999999999999999999999999999999999999": "99999999999999999999999999999999999999", "1e-130": "0." + strings.Repeat("0", 129) + "1", ".5": "0.5", "5.": "5",
		"123456789012345678901": "123456789012345678901",
	} {
		got, err := attr.Number(in)
		require.NoError(t, err, in)
		require.Equal(t, want, got, in)
	}
	for _, in := range []string{"", "-", ".", "x", "1x", "1e", "1e1.5", "0x10", "1_000", "--1", "NaN", "1e126", "1e-131", "999999999999999999999999999999999999999", "1e9999999", strings.Repeat("1", 600)} {
		_, err := attr.Number(in)
		require.Error(t, err, in)
	}
}

// FuzzNumber compares parsing, order and sums with math/big.
func FuzzNumber(f *testing.F) {
	f.Add("1", "2")
	f.Add("1.5e3", "-.25")
	f.Add("999999999999999999", "1")
	f.Add("-0.0", "1e-30")
	f.Fuzz(func(t *testing.T, s, u string) {
		a, err := attr.Number(s)
		if err != nil {
			return
		}
		want, ok := new(big.Rat).SetString(strings.TrimPrefix(s, "+"))
		require.True(t, ok, "%q was taken as %s", s, a)
		x, ok := new(big.Rat).SetString(a)
		require.True(t, ok)
		require.Zero(t, want.Cmp(x), "%q became %s", s, a)
		again, err := attr.Number(a)
		require.NoError(t, err)
		require.Equal(t, a, again, "canonical form is stable")

		b, err := attr.Number(u)
		if err != nil {
			return
		}
		y, _ := new(big.Rat).SetString(b)
		require.Equal(t, x.Cmp(y), attr.CompareNumbers(a, b), "%s and %s", a, b)
		if sum, err := attr.Add(a, b, true); err == nil {
			got, ok := new(big.Rat).SetString(sum)
			require.True(t, ok)
			require.Zero(t, new(big.Rat).Sub(x, y).Cmp(got), "%s - %s = %s", a, b, sum)
		}
	})
}

// FuzzItem holds that an item that was accepted is written so that it reads
// back equal.
func FuzzItem(f *testing.F) {
	for _, s := range []string{
		`{"id":{"S":"x"},"n":{"N":"1.50"}}`, `{"l":{"L":[{"M":{"a":{"BOOL":true}}},{"NULL":true}]}}`, `{"s":{"SS":["b","a"]},"b":{"B":"AP8="},"bs":{"BS":["AA=="]},"ns":{"NS":["2","1.0"]}}`, `{"":{"S":""}}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		it, err := attr.DecodeItem(wire.NewDecoder([]byte(s)))
		if err != nil {
			return
		}
		b := attr.AppendItem(nil, it)
		again, err := attr.DecodeItem(wire.NewDecoder(b))
		require.NoError(t, err, "%s", b)
		require.True(t, attr.EqualItem(it, again), "%s", b)
		require.Equal(t, b, attr.AppendItem(nil, again))
		require.GreaterOrEqual(t, it.Size(), 0)
	})
}

func TestDecodeRefuses(t *testing.T) {
	for text, invalid := range map[string]bool{
		`{"a":{"N":"x"}}`:          true,
		`{"a":{}}`:                 true,
		`{"a":{"S":"x","N":"1"}}`:  true,
		`{"a":{"SS":[]}}`:          true,
		`{"a":{"SS":["x","x"]}}`:   true,
		`{"a":{"NS":["1","1.0"]}}`: true,
		`{"a":{"NULL":false}}`:     true,
		`{"a":{"Q":"x"}}`:          false,
		`{"a":{"B":"%"}}`:          false,
		`{"a":"x"}`:                false,
		`{"a":` + strings.Repeat(`{"M":{"a":`, 32) + `{"S":""}` + strings.Repeat(`}}`, 32) + `}`: true,
	} {
		_, err := attr.DecodeItem(wire.NewDecoder([]byte(text)))
		require.Error(t, err, text)
		_, ok := attr.IsInvalid(err)
		require.Equal(t, invalid, ok, "%s: %v", text, err)
	}
}
