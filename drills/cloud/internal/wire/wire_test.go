package wire_test

import (
	"encoding/xml"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/cloud/internal/wire"
)

func TestParseScope(t *testing.T) {
	for header, want := range map[string]wire.Scope{
		"AWS4-HMAC-SHA256 Credential=AK/20261122/us-west-2/rds/aws4_request, SignedHeaders=host, Signature=0":      {Region: "us-west-2", Service: "rds"},
		"AWS4-HMAC-SHA256 SignedHeaders=host,Credential=A/K/20261122/us-east-1/monitoring/aws4_request,Signature=": {Region: "us-east-1", Service: "monitoring"},
	} {
		got, ok := wire.ParseScope(header)
		require.True(t, ok)
		require.Equal(t, want, got)
	}
	for _, header := range []string{"", "Bearer x", "AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA256 Credential=a/b/c/aws4_request", "AWS4-HMAC-SHA256 Credential=a/b//rds/aws4_request", "AWS4-HMAC-SHA256 Credential=a/b/c/rds/aws3_request"} {
		_, ok := wire.ParseScope(header)
		require.False(t, ok, header)
	}
}

func TestForm(t *testing.T) {
	f, err := wire.ParseForm([]byte("Action=X&Version=1&Filters.Filter.1.Name=region&Filters.Filter.1.Values.Value.1=a&Filters.Filter.1.Values.Value.2=b%20c&N=7&B=TRUE"))
	require.NoError(t, err)
	require.Equal(t, []wire.Filter{{Name: "region", Values: []string{"a", "b c"}}}, f.Filters())
	require.ErrorContains(t, f.Unknown(), "know: B, N")
	n, err := f.Int("N", 1, 1, 10)
	require.NoError(t, err)
	require.Equal(t, 7, n)
	b, given, err := f.Bool("B")
	require.NoError(t, err)
	require.True(t, b && given)
	require.NoError(t, f.Unknown())
	n, err = f.Int("Absent", 3, 1, 10)
	require.NoError(t, err)
	require.Equal(t, 3, n)
	_, err = f.Int("N", 1, 1, 6)
	require.ErrorContains(t, err, "InvalidParameterValue")
}

// FuzzXML holds that any text survives the trip through an XML parser, as far
// as XML can carry it.
func FuzzXML(f *testing.F) {
	for _, s := range []string{"", "plain", "<a>&\"'", "\r\n\t", "\x00\x1f", "é\u2028", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		x := wire.XML{}
		x.Open("r")
		x.Text("v", s)
		x.Int("n", len(s))
		x.Close("r")
		var got struct {
			V string `xml:"v"`
			N int    `xml:"n"`
		}
		require.NoError(t, xml.Unmarshal(x.Bytes(), &got), "%q", x.Bytes())
		require.Equal(t, len(s), got.N)
		var want []rune
		for _, r := range s {
			if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
				r = '\uFFFD'
			}
			want = append(want, r)
		}
		require.Equal(t, string(want), got.V)
	})
}
