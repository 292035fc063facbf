package failover_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/internal/raced"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
)

// calm runs three agents in a drawn world for a while, so that a lag is known.
func calm(t *testing.T, seed uint64, p dr.Policy) *sim {
	s := newSim(t, seed, p)
	for _, r := range topology.Vantages() {
		s.start(r)
	}
	s.wait(s.between(8*time.Second, 12*time.Second))
	return s
}

// TestEveryLossIsFollowedByAWriter: whatever takes the writer away for good, the
// other Region has a writer that clients reach, within the budget and the time that
// the promotion itself takes. Nothing is healed.
func TestEveryLossIsFollowedByAWriter(t *testing.T) {
	const silent = "the Region is silent"
	for name, lose := range map[string]func(s *sim){
		"the Region is cut off": func(s *sim) { s.CutRegion(east, true) },
		silent: func(s *sim) {
			s.CutRegion(east, true)
			s.breakCalls("dark", from(east, drtest.Fault{Hang: true}))
		},
		"the Region's servers are killed":               func(s *sim) { s.Pair.DB(east).Kill(); s.kill(east) },
		"the database is killed":                        func(s *sim) { s.Pair.DB(east).Kill() },
		"the database is frozen":                        func(s *sim) { s.Pair.DB(east).Freeze() },
		"the Region is cut off, the witness's agent is": func(s *sim) { s.kill(witness); s.CutRegion(east, true) },
		"the Region is cut off, its control plane hangs": func(s *sim) {
			s.breakCalls("api", from(east, drtest.Fault{Hang: true}, "cluster."))
			s.CutRegion(east, true)
		},
		"the database is frozen, its control plane refuses": func(s *sim) {
			s.breakCalls("api", from(east, drtest.Fault{Err: errRefused}, "cluster."))
			s.CutRegion(east, true)
		},
	} {
		t.Run(name, func(t *testing.T) {
			worst := time.Duration(0)
			for seed := uint64(1); seed <= raced.Few(3, uint64(12)); seed++ {
				synctest.Test(t, func(t *testing.T) {
					s := calm(t, seed, dr.Policy{})
					s.Pair.SetBoot(seed%2 == 0)
					lost := time.Now()
					lose(s)
					bound := s.policy.Budget().Own() + 5*time.Second + 2*time.Second
					ok := s.until(bound, func() bool { return s.Pair.DB(west).Accepts() && s.Router.Target() == west })
					require.True(t, ok, "seed %d: no writer %v after %s\n%s", seed, bound, name, s.story())
					worst = max(worst, time.Since(lost))
					// In a silent Region the writer can't be told, and no client reaches it.
					require.False(t, name != silent && s.Pair.DB(east).Accepts(), "seed %d\n%s", seed, s.story())
					s.end()
				})
			}
			t.Logf("worst: %v", worst.Round(10*time.Millisecond))
		})
	}
}

// from breaks the calls of a Region whose operations begin with a prefix.
func from(r dr.Region, bad drtest.Fault, prefix ...string) rule {
	return func(c drtest.Call, _ *rand.Rand) drtest.Fault {
		if c.From != r || len(prefix) > 0 && !strings.HasPrefix(string(c.Op), prefix[0]) {
			return drtest.Fault{}
		}
		return bad
	}
}

// TestNothingHarmlessMovesTheWriter: while the writer serves and its lease is renewed,
// no process moves or stops it, for as long as it takes.
func TestNothingHarmlessMovesTheWriter(t *testing.T) {
	for name, disturb := range map[string]func(s *sim){
		"nothing":                            func(*sim) {},
		"only the link is cut":               func(s *sim) { s.Cut(east, west, true) },
		"the witness is cut off":             func(s *sim) { s.CutRegion(witness, true) },
		"the witness's agent is dead":        func(s *sim) { s.kill(witness) },
		"one path to the witness is cut":     func(s *sim) { s.Cut(west, witness, true) },
		"the other path is":                  func(s *sim) { s.Cut(east, witness, true) },
		"the secondary is cut off":           func(s *sim) { s.CutRegion(west, true) },
		"the secondary's servers are killed": func(s *sim) { s.Pair.DB(west).Kill(); s.kill(west) },
		"the secondary is frozen":            func(s *sim) { s.Pair.DB(west).Freeze() },
		"no control plane answers": func(s *sim) {
			for _, r := range topology.Vantages() {
				s.breakCalls("api-"+r.String(), from(r, drtest.Fault{Hang: true}, "cluster."))
			}
		},
		"the secondary's store calls hang": func(s *sim) {
			s.breakCalls("store", func(c drtest.Call, _ *rand.Rand) drtest.Fault {
				return drtest.Fault{Hang: c.From == west && c.To == ""}
			})
		},
		"replication lags": func(s *sim) { s.setShip(5 * time.Second) },
		"the link is cut and the secondary restarts": func(s *sim) {
			s.Cut(east, west, true)
			s.wait(5 * time.Second)
			s.kill(west)
			s.start(west)
		},
		"the writer's agent restarts now and then": func(s *sim) {
			for range 5 {
				s.wait(5 * time.Second)
				s.kill(east)
				s.wait(900 * time.Millisecond)
				s.start(east)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := uint64(1); seed <= raced.Few(1, uint64(6)); seed++ {
				synctest.Test(t, func(t *testing.T) {
					s := calm(t, seed, dr.Policy{})
					disturb(s)
					for range 60 {
						s.wait(time.Second)
						require.True(t, s.Pair.DB(east).Accepts(), "seed %d\n%s", seed, s.story())
					}
					l, _ := s.Store.Lease()
					require.Equal(t, dr.Epoch(1), l.Epoch, "seed %d\n%s", seed, s.story())
					require.Zero(t, s.Cluster.Moves())
					s.end()
				})
			}
		})
	}
}
