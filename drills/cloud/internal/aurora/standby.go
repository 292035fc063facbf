package aurora

import "github.com/lifeboat-dr/lifeboat/pkg/dr"

// Behead takes a member's instances away, or gives them back. It reports whether there
// is such a member.
func (s *Service) Behead(r dr.Region, headless bool) bool {
	return s.standby(r, func(m *memberState) { m.headless = headless })
}

// Desync has a member wait for a resynchronization, or ends that.
func (s *Service) Desync(r dr.Region, waits bool) bool {
	return s.standby(r, func(m *memberState) {
		m.sync = connected
		if waits {
			m.sync = pendingResync
		}
	})
}

func (s *Service) standby(r dr.Region, edit func(*memberState)) bool {
	for i, m := range s.cfg.Members {
		if m.Region == r {
			s.edit(m, func(st *state) { edit(&st.members[i]) })
			return true
		}
	}
	return false
}
