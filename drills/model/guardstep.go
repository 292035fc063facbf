package model

import (
	"reflect"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover/guard"
)

// rulesOf are a guard's, in ticks. Renew is a third of one, as in the default policy, and
// no less: three of them are the age of a young grant.
func (w *Config) rulesOf(r uint8) guard.Rules {
	return guard.Rules{
		Region: regions[r], Valid: (ttl - margin) * unit, TTL: ttl * unit, Drift: drift * unit,
		Renew: unit/3 + 1, Resend: unit, Look: unit, ControlCall: unit,
		Watchdog: w.Watchdog, Peer: w.Promises && w.Without != PeerGrant, Roles: true, Releases: true,
	}
}

// key is all on which a step of a guard hangs, with the answers of its own server and of
// the row that it reads there.
type key struct {
	Region uint8
	G      guardian
	Seen   lease
	Known  bool
	Is     bool // Seen is the current revision
	In     input
	Server server
	Row    promise
}

// server is what the local database answers when it is asked.
type server struct {
	Primary, Open, Silent, Deaf bool
	Mute                        bool // it never says that it is a secondary
}

// input is a guard.Input.
type input struct {
	Kind   guard.Learns
	Call   call
	Result guard.Result
	Lease  lease
	Is     bool // it is the current revision
	Epoch  uint8
	Moved  bool
}

// call names the call that is answered.
type call uint8

const (
	theFence call = iota
	theIsolation
	theOpening
	theRelease
	theRenewal // and one after it for each of the others
)

const firstID = 1 << 20

func (c call) id() uint32 { return firstID + uint32(c) }

// stepped is what a step came to.
type stepped struct {
	G     guardian
	Seen  lease
	Known bool
	Is    bool
	// Beaten: a heartbeat write has committed; Row is its row.
	Beaten bool
	Row    guard.Row
	// Closes: it has decided to make the server read-only or to have it rebooted, although
	// no other Region is known to have the epoch and the server is no secondary.
	Closes bool
}

// run makes a step of the real guard from what is remembered of its state.
func (w *step) run(k key) stepped {
	if out, known := w.steps[k]; known {
		return out
	}
	rules := w.rulesOf(k.Region)
	s := k.state(rules)
	row := uint64(0)
	if k.Row.Own && k.Row.Age < ttl-margin {
		row = 40 // a number that no heartbeat write of a step has
		s.Sent[row] = guard.Written{Seq: row, Epoch: dr.Epoch(k.Row.Epoch), Sent: now - time.Duration(k.Row.Age)*unit, Answered: now}
	}
	out := w.react(rules, &s, k.In.input(now), k.Server, row)
	out.G = k.compact(rules, &s)
	w.drop(&out.G)
	out.Seen, out.Known, out.Is = k.seen(&s)
	w.steps[k] = out
	return out
}

// react makes a step of a guard, and the steps that follow from the answers of its own
// server, which come at once or not at all. row is the heartbeat write that the peer's row
// names, or 0.
func (w *step) react(rules guard.Rules, s *guard.State, in guard.Input, server server, row uint64) (out stepped) {
	sees := in.Kind == guard.LeaseSeen || in.Lease.Epoch != 0 && in.Lease.Rev >= s.Seen.Rev
	if sees && s.FailedAt == in.Now {
		s.FailedAt-- // what is seen in the same tick is seen later
	}
	queue := []guard.Input{in}
	for len(queue) > 0 {
		in := queue[0]
		queue = queue[1:]
		var effects []guard.Effect
		*s, effects = guard.Step(rules, *s, in)
		for _, e := range effects {
			if e.Kind == guard.Fence && !s.Enforces && !s.Closing.Forced || e.Kind == guard.Isolate && !s.Closing.Forced {
				out.Closes = true
			}
			answer := guard.Input{Kind: guard.Answered, Now: in.Now, ID: e.ID, Seq: e.Seq}
			switch e.Kind {
			case guard.Beat:
				answer.Result = server.write()
				if answer.Result == guard.Done {
					out.Beaten, out.Row = true, e.Row
				}
				if w.Without == ServerAnswer {
					answer.Result = guard.Done
				}
			case guard.AskRole:
				answer.Result, answer.Server = server.says()
			case guard.ReadPromise:
				if answer.Result = guard.Done; server.Silent || server.Deaf || row == 0 {
					answer.Result = guard.Silent
				}
				answer.Seq = row
			case guard.Fence:
				if !s.Enforces || server.Open {
					continue
				}
				if answer.Result = guard.Done; server.Silent || server.Deaf { // it stays as it is: closed
					answer.Result = guard.Silent
				}
			case guard.InstallWatchdog, guard.RemoveWatchdog, guard.CheckWatchdog:
				answer.Result, answer.Awake = guard.Done, true
			default:
				continue
			}
			queue = append(queue, answer)
		}
	}
	return out
}

// drop forgets a field on purpose.
func (w *step) drop(g *guardian) {
	if w.Drop != "" {
		f := reflect.ValueOf(g).Elem().FieldByName(w.Drop)
		f.SetZero()
	}
}

// write is what comes of a heartbeat write.
func (s server) write() guard.Result {
	switch {
	case s.Silent:
		return guard.Silent
	case s.Deaf:
		return guard.NotAsked
	case !s.Primary && !s.Mute:
		return guard.NotWriter
	case !s.Open || !s.Primary:
		return guard.ReadOnly
	}
	return guard.Done
}

func (s server) says() (guard.Result, guard.Role) {
	switch {
	case s.Silent:
		return guard.Silent, guard.RoleUnknown
	case s.Deaf:
		return guard.NotAsked, guard.RoleUnknown
	case s.Primary:
		return guard.Done, guard.Writer
	case s.Mute:
		return guard.Refused, guard.RoleUnknown
	}
	return guard.Done, guard.Secondary
}

func (i *input) input(at guard.Instant) guard.Input {
	out := guard.Input{Kind: i.Kind, Now: at, Result: i.Result, Epoch: dr.Epoch(i.Epoch), Moved: i.Moved, ID: i.Call.id()}
	if i.Lease.Epoch != 0 {
		out.Lease = i.Lease.record(i.Is)
	}
	return out
}
