//go:build unix && !linux

package lambdahost

import (
	"os"
	"syscall"
)

// processAttributes make the process the leader of a group. Only Linux can tie
// its life to this process's.
func processAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// maxRSS is the peak resident memory in bytes, as Darwin counts it.
func maxRSS(state *os.ProcessState) int64 {
	if usage, ok := state.SysUsage().(*syscall.Rusage); ok {
		return int64(usage.Maxrss)
	}
	return 0
}
