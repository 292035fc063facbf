package history_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/internal/history"
)

// idle is a guard that does nothing, whatever it hears.
type idle struct{ again }

// FuzzRead reads any text as recordings: what is accepted can be played.
func FuzzRead(f *testing.F) {
	for _, s := range []string{
		"== x\n0 us-east-1#1 guard ttl=6000 renew=500 rpoguard\n0 us-east-1#1 run\n1 us-east-1#1 see 1/us-east-1/3 taken=1 by=x\n2 us-east-1#1 renew 1/3 -> ok 1/us-east-1/4 +12.5",
		"== x\n0 us-east-1#1 guard\n5 us-east-1#1 beat us-east-1 1/7 -> readonly\n6 us-east-1#1 stop\n6 us-east-1#1 rear deadline=900\n7 us-east-1#1 read -> none\n8 us-east-1#1 rested",
		"== x\n0 us-west-2#c journal 0000000002-0001 1 failover us-east-1->us-west-2 epoch=2 Confirmed after confirmed",
		"== x\n0 us-east-1#1 guard\n0 us-east-1#1 told 2\n0 us-east-1#1 recall guarded=1\n0 us-east-1#1 replicated us-east-1 -> ok 1/-3\n0 us-east-1#1 fence 1 -> dead +3",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		worlds, err := history.Read(strings.NewReader(text))
		if err != nil {
			return
		}
		for _, w := range worlds {
			for _, g := range w.Guards {
				found, err := history.Play(g, &idle{})
				if err == nil {
					require.LessOrEqual(t, len(found), len(g.Events), "more is missing than there was")
				}
			}
		}
	})
}
