package expr_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/cloud/internal/attr"
	"github.com/lifeboat-dr/lifeboat/drills/cloud/internal/expr"
)

// TestSameTextOtherParameters holds that an expression that was parsed for one request
// is nothing that the next one has to live with.
func TestSameTextOtherParameters(t *testing.T) {
	it := attr.Item{"a": attr.Int(1), "b": attr.Int(2)}
	with := func(names map[string]string, values attr.Item) *expr.Params {
		p, err := expr.NewParams(names, values)
		require.NoError(t, err)
		return p
	}
	const src = "#n = :v"
	for range 2 {
		for _, tt := range []struct {
			name  string
			value int
			want  bool
		}{{"a", 1, true}, {"a", 2, false}, {"b", 1, false}, {"b", 2, true}} {
			p := with(map[string]string{"#n": tt.name}, attr.Item{":v": attr.Int(tt.value)})
			c, err := p.Condition("ConditionExpression", src)
			require.NoError(t, err)
			require.Equal(t, tt.want, c.Match(it), "%s = %d", tt.name, tt.value)
			require.NoError(t, p.Unused())
		}
		_, err := with(nil, attr.Item{":v": attr.Int(1)}).Condition("ConditionExpression", src)
		require.ErrorContains(t, err, "not defined; attribute name: #n")
		_, err = with(map[string]string{"#n": "a"}, nil).Condition("ConditionExpression", src)
		require.ErrorContains(t, err, "not defined; attribute value: :v")

		// A kind counts when an expression is parsed, and so does what BETWEEN is between.
		less := func(v attr.Value) error {
			_, err := with(nil, attr.Item{":v": v}).Condition("ConditionExpression", "a < :v")
			return err
		}
		require.NoError(t, less(attr.Int(1)))
		require.ErrorContains(t, less(attr.Value{Kind: attr.Bool}), "operator: <, operand type: BOOL")
		between := func(lo, hi int) error {
			_, err := with(nil, attr.Item{":lo": attr.Int(lo), ":hi": attr.Int(hi)}).Condition("ConditionExpression", "a BETWEEN :lo AND :hi")
			return err
		}
		require.NoError(t, between(1, 2))
		require.ErrorContains(t, between(2, 1), "upper bound to be greater")

		// The message names the parameter.
		for _, kind := range []string{"ConditionExpression", "FilterExpression"} {
			_, err := with(nil, nil).Condition(kind, "a = ")
			require.ErrorContains(t, err, "Invalid "+kind)
		}

		for _, add := range []int{1, 5} {
			p := with(map[string]string{"#n": "a"}, attr.Item{":v": attr.Int(add), ":w": attr.Int(0)})
			u, err := p.Update("SET #n = #n + :v")
			require.NoError(t, err)
			after, err := u.Apply(it)
			require.NoError(t, err)
			require.Equal(t, attr.Item{"a": attr.Int(1 + add), "b": attr.Int(2)}, after)
			require.ErrorContains(t, p.Unused(), "unused in expressions: keys: {:w}")

			p = with(map[string]string{"#n": "a"}, attr.Item{":v": attr.String(fmt.Sprint(add)), ":w": attr.Int(add)})
			k, err := p.Key("#n = :v AND b > :w", "a", "b")
			require.NoError(t, err)
			require.Equal(t, attr.String(fmt.Sprint(add)), k.Partition)
			require.Equal(t, add < 2, k.MatchSort(it))
		}
	}
}

// TestManyExpressions: the cache of programs is bounded, and a program that it has dropped
// is compiled again with the same result.
func TestManyExpressions(t *testing.T) {
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for i := range 1000 {
				name := strings.Repeat("x", 1+(i+worker)%300)
				p, err := expr.NewParams(nil, attr.Item{":v": attr.Int(i)})
				if err == nil {
					var c *expr.Condition
					if c, err = p.Condition("ConditionExpression", name+" = :v"); err == nil && (!c.Match(attr.Item{name: attr.Int(i)}) || c.Match(attr.Item{name: attr.Int(-1)})) {
						err = fmt.Errorf("%s = %d is wrong", name, i)
					}
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}
