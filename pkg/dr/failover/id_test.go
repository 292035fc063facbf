package failover_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

func TestExecutionID(t *testing.T) {
	for _, c := range []struct {
		epoch      dr.Epoch
		last, want string
	}{
		{2, "", "0000000002-0001"},
		{2, "0000000001-0007", "0000000002-0001"},
		{2, "0000000002-0001", "0000000002-0002"},
		{2, "0000000002-9998", "0000000002-9999"},
		{2, "0000000002-9999", "0000000002-x000010000"},
		{2, "0000000002-x000010000", "0000000002-x000010001"},
		{3, "0000000002-x000010000", "0000000003-0001"},
	} {
		got, err := failover.ExecutionID(c.epoch, c.last)
		require.NoError(t, err)
		require.Equal(t, c.want, got)
	}
	for last, want := range map[string]string{
		"0000000003-0001":       "older than the journal: look again",
		"0000000002-12 monkeys": "remove the foreign entry",
		"0000000002--003":       "remove the foreign entry",
		"0000000002-x999999999": "ask a person",
	} {
		_, err := failover.ExecutionID(2, last)
		require.ErrorContains(t, err, want, last)
	}
}

// FuzzExecutionID names an execution after any other. The new name sorts behind it, in
// the journal's key as well, and can itself be followed; or it is an error.
func FuzzExecutionID(f *testing.F) {
	for _, last := range []string{
		"", "0000000007-0001", "0000000007-9999", "0000000007-x000010000", "0000000007-x999999999", "0000000006-0003", "0000000008-0001",
		"0000000007-12 monkeys", "0000000007- 5", "0000000007-+5", "0000000007--5", "0000000007-00001", "0000000007-10000", "0000000007-", "0000000007",
		"0000000007-18446744073709551615", "7-1", "zzz", "\xff",
	} {
		f.Add(uint64(7), last)
	}
	f.Add(uint64(math.MaxUint64), "")
	f.Add(uint64(10_000_000_000), "9999999999-0001")
	f.Add(uint64(0), "")
	f.Fuzz(func(t *testing.T, epoch uint64, last string) {
		id, err := failover.ExecutionID(dr.Epoch(epoch), last)
		if err != nil {
			require.Empty(t, id)
			// Nothing that this function gives in the life of a deployment is refused.
			var e, attempt uint64
			n, _ := fmt.Sscanf(last, "%d-%d", &e, &attempt)
			require.False(t, n == 2 && last == fmt.Sprintf("%010d-%04d", e, attempt) && len(last) == 15 && e <= epoch && epoch < 1e10, "%v", err)
			return
		}
		require.Greater(t, id, last)
		require.Greater(t, fmt.Sprintf("journal#%s#%06d", id, 1), fmt.Sprintf("journal#%s#%06d", last, 999999))
		require.Regexp(t, fmt.Sprintf("^%010d-", epoch), id)
		after, err := failover.ExecutionID(dr.Epoch(epoch), id)
		if err == nil {
			require.Greater(t, after, id)
		}
		next, err := failover.ExecutionID(dr.Epoch(epoch+1), id)
		if epoch < 9_999_999_999 {
			require.NoError(t, err)
			require.Greater(t, next, id)
		}
	})
}
