package expr_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/cloud/internal/attr"
	"github.com/lifeboat-dr/lifeboat/drills/cloud/internal/expr"
)

// FuzzCondition holds that a condition is refused in DynamoDB's words or
// evaluates, that NOT negates it, and that parentheses change nothing.
func FuzzCondition(f *testing.F) {
	for _, s := range []string{
		"attribute_not_exists(id) OR epoch = :7", "epoch BETWEEN :1 AND :9 AND NOT contains(tags, :a)", "(size(l) > :1 OR m.#s IN (:up, :x)) AND begins_with(id, :wr)", "attribute_type(l[2][0], :N)",
	} {
		f.Add(s)
	}
	it := parse(f, someItem)
	f.Fuzz(func(t *testing.T, src string) {
		c, err := params(t).Condition("ConditionExpression", src)
		if err != nil {
			refused(t, err)
			return
		}
		got := c.Match(it)
		c.Match(nil)
		// One more level can fail for redundant parentheses or for its length.
		if n, err := params(t).Condition("ConditionExpression", "NOT ("+src+")"); err == nil {
			require.Equal(t, !got, n.Match(it), src)
		}
		if p, err := params(t).Condition("ConditionExpression", "("+src+") AND attribute_exists(id)"); err == nil {
			require.Equal(t, got, p.Match(it), src)
		}
	})
}

func refused(t *testing.T, err error) {
	t.Helper()
	_, ok := errors.AsType[*expr.Error](err)
	require.True(t, ok, "%v", err)
}

// FuzzUpdate holds that an update is refused in DynamoDB's words or applies,
// that it never changes its input, and that what it makes can be stored.
func FuzzUpdate(f *testing.F) {
	for _, s := range []string{
		"SET epoch = epoch + :1, holder = :w REMOVE b", "ADD epoch :1 DELETE tags :set", "SET l[1] = :x, m.deep.er = if_not_exists(q, :neg) REMOVE l[0], l[2]", "SET l = list_append(l, :l)",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		u, err := params(t).Update(src)
		if err != nil {
			refused(t, err)
			return
		}
		it := parse(t, someItem)
		after, err := u.Apply(it)
		require.True(t, attr.EqualItem(parse(t, someItem), it), "%q changed its input", src)
		if err != nil {
			refused(t, err)
			return
		}
		stored := attr.AppendItem(nil, after)
		require.True(t, attr.EqualItem(after, parse(t, string(stored))), "%s", stored)
		touched := map[string]bool{}
		for _, name := range u.Names() {
			touched[name] = true
		}
		for name, v := range it {
			if !touched[name] {
				require.True(t, attr.Equal(v, after[name]), "%q changed %s", src, name)
			}
		}
	})
}

// FuzzKey holds that a key condition is refused or names one partition.
func FuzzKey(f *testing.F) {
	for _, s := range []string{"id = :w", "id = :w AND epoch > :1", "begins_with(epoch, :a) AND id = :w", "epoch BETWEEN :1 AND :2 AND id = :w"} {
		f.Add(s)
	}
	it := parse(f, someItem)
	f.Fuzz(func(t *testing.T, src string) {
		k, err := params(t).Key(src, "id", "epoch")
		if err != nil {
			refused(t, err)
			return
		}
		require.NotEmpty(t, k.Partition.Kind, src)
		k.MatchSort(it)
	})
}

// FuzzProjection holds that a projection only ever takes away.
func FuzzProjection(f *testing.F) {
	for _, s := range []string{"id, epoch", "m.deep.er, l[0], l[2][0]", "#m.#s"} {
		f.Add(s)
	}
	it := parse(f, someItem)
	f.Fuzz(func(t *testing.T, src string) {
		p, err := params(t).Projection(src)
		if err != nil {
			refused(t, err)
			return
		}
		got := p.Apply(it)
		for name := range got {
			require.Contains(t, it, name)
		}
		require.LessOrEqual(t, got.Size(), it.Size())
	})
}
