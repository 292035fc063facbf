package lambdahost

import (
	"os"
	"syscall"
)

// processAttributes make the process the leader of a group, and end it when
// this process dies without having closed its Host: a frozen one would stay for
// ever.
func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// maxRSS is the peak resident memory in bytes. Linux counts in KiB.
func maxRSS(state *os.ProcessState) int64 {
	if usage, ok := state.SysUsage().(*syscall.Rusage); ok {
		return usage.Maxrss << 10
	}
	return 0
}
