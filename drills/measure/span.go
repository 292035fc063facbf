package measure

import (
	"fmt"
	"time"
)

// Span prints a duration for people: seconds with milliseconds, or "unknown".
func Span(d time.Duration) string {
	if d == Unknown {
		return "unknown"
	}
	return fmt.Sprintf("%.3f s", d.Seconds())
}

// at prints an instant on the run's clock.
func at(d time.Duration) string {
	if d == Unknown {
		return "an unknown time"
	}
	return fmt.Sprintf("+%.3f s", d.Seconds())
}
