//go:build linux || darwin

package clock

import (
	"fmt"

	"golang.org/x/sys/unix"
)

func monotonic() int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		// The call has no failure for a valid clock and pointer (clock_gettime(2)).
		panic(fmt.Sprintf("clock: read CLOCK_MONOTONIC: %v", err))
	}
	return ts.Nano()
}
