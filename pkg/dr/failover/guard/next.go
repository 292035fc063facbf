package guard

// Next returns when the guard must be stepped next, if it learns nothing until then.
func Next(r *Rules, s *State, now Instant) Instant {
	if s.Finished {
		return now + r.TTL
	}
	at := now + r.Look
	soon := func(t Instant) {
		if t > now {
			at = min(at, t)
		}
	}
	if s.Armed && !s.Closing.On {
		soon(s.GrantEnd(r))
	}
	if s.Closing.On && !s.Closing.Acked && s.Fencing.ID == 0 {
		soon(s.Closing.RetryAt)
	}
	if s.Behind {
		m := machine{Rules: r, s: s, now: now}
		soon(m.lapse())
		soon(s.End)
		soon(max(s.LookedAt, s.BehindAt) + behindLook)
	} else {
		soon(s.RoundAt + r.Renew)
		if r.Peer {
			soon(s.BeatAt + r.beatPace())
		}
		soon(s.EnforcedAt + r.Renew)
		soon(s.Begun + r.Renew)
		if s.Demoted != 0 {
			soon(s.ReleasedAt + r.Poll)
		}
		if r.Roles {
			soon(s.AskedAt + r.Renew)
		}
		if s.PlaneWanted {
			soon(s.PlaneAskedAt + r.Renew)
		}
		for i := range s.Renewals {
			if s.Renewals[i].ID != 0 {
				soon(s.Renewals[i].Sent + r.Resend)
			}
		}
		for i := range s.Sent {
			if w := &s.Sent[i]; w.Pending && w.Keeps {
				soon(w.Sent + r.Resend)
			}
		}
		if s.Trials >= maxTrials {
			soon(s.TriedAt + 2*r.TTL)
		}
		soon(s.TriedAt + r.TTL/2)
	}
	if r.Peer {
		soon(s.PromisedAt + r.lookForPromise())
	}
	if r.RPO {
		soon(s.BeatAt + rpoBeat)
		soon(s.SampledAt + rpoSample)
		soon(max(s.SafeAt, s.CanAskAt) + r.RPOLimit)
	}
	return at
}
