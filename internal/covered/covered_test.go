package covered_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/internal/covered"
)

func TestAdd(t *testing.T) {
	one := "mode: set\nhouse/a/x.go:1.2,3.4 3 0\nhouse/a/x.go:5.2,6.4 1 1\nhouse/b/y.go:1.1,2.2 4 0\nhouse/a/x.go:1.2,3.4 3 0\n"
	two := "mode: set\nhouse/a/x.go:1.2,3.4 3 7\nhouse/a/z.go:1.2,3.4 6 0\n"
	got, err := covered.Add(strings.NewReader(one), strings.NewReader(two))
	require.NoError(t, err)
	require.Equal(t, []covered.Share{{"house/a", 10, 4}, {"house/b", 4, 0}}, got)
	require.InDelta(t, 40, got[0].Percent(), 0.001)
	require.Equal(t, " 40.0 %  house/a (4 of 10 statements)", got[0].String())
	require.Zero(t, covered.Share{}.Percent())
}

func TestAddRefuses(t *testing.T) {
	for _, bad := range []string{"PASS\n", "house/a/x.go:1.2,3.4 3\n", "house/a/x.go:1.2,3.4 x 1\n", "house/a/x.go:1.2,3.4 1 -1\n"} {
		_, err := covered.Add(strings.NewReader("mode: set\n" + bad))
		require.ErrorContains(t, err, "line 2", bad)
	}
}

func TestJudge(t *testing.T) {
	all := []covered.Share{{"a", 100, 95}, {"b", 1000, 949}}
	got, err := covered.Judge(all, 95, []string{"a"})
	require.NoError(t, err)
	require.Equal(t, all[:1], got)
	got, err = covered.Judge(all, 95, []string{"a", "b"})
	require.ErrorContains(t, err, "less than 95 % of the statements of b")
	require.Equal(t, all, got, "the figures are shown all the same")
	_, err = covered.Judge(all, 95, []string{"a", "c"})
	require.ErrorContains(t, err, "no profile names c")
}
