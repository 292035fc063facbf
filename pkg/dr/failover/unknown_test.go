package failover_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

func TestReplyOf(t *testing.T) {
	for name, c := range map[string]struct {
		err   error
		want  failover.Reply
		heard bool
	}{
		"a commit":                    {nil, failover.ReplyCommitted, true},
		"read-only":                   {fmt.Errorf("beat: %w", failover.ErrReadOnly), failover.ReplyReadOnly, true},
		"a secondary is read-only":    {fmt.Errorf("%w: %w", failover.ErrReadOnly, failover.ErrNotWriter), failover.ReplyNotWriter, true},
		"an answer":                   {fmt.Errorf("x: %w", failover.ErrAnswered), failover.ReplyAnswered, true},
		"disk full":                   {fmt.Errorf("x: %w", failover.ErrRefusesWrites), failover.ReplyRefusesWrites, true},
		"disk full, then an answer":   {errors.Join(failover.ErrAnswered, failover.ErrRefusesWrites), failover.ReplyRefusesWrites, true},
		"a deadline":                  {context.DeadlineExceeded, failover.ReplyUnanswered, false},
		"a reset":                     {errors.New("connection reset"), failover.ReplyUnanswered, false},
		"no login, after a deadline":  {fmt.Errorf("%w: %w", health.ErrNotAsked, context.DeadlineExceeded), failover.ReplyNotAsked, false},
		"a reader instead of the one": {fmt.Errorf("%w: %w", health.ErrNotAsked, failover.ErrReadOnly), failover.ReplyNotAsked, false},
	} {
		got := failover.ReplyOf(c.err)
		require.Equal(t, c.want, got, name)
		require.Equal(t, c.heard, got.Heard(), name)
	}
	var zero failover.Reply
	require.False(t, zero.Heard(), "the zero value authorises nothing")
	require.Equal(t, "not asked", zero.String())
	require.Equal(t, "refuses writes", failover.ReplyRefusesWrites.String())
	require.Equal(t, "unknown", failover.Reply(99).String())
	require.False(t, failover.Reply(99).Heard())
}
