package failover

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// idForm is an execution's name: the epoch in ten digits, the attempt in four, or in
// nine behind an x.
var idForm = regexp.MustCompile(`^([0-9]{10})-([0-9]{4}|x[0-9]{9})$`)

const (
	mostEpoch   = 9_999_999_999
	wideAttempt = 10_000 // the first that four digits can't hold: x sorts after every digit
	mostAttempt = 999_999_999
)

// executionID names the execution after last, which is the journal's newest or empty.
// Executions sort by name, by epoch and attempt, and [Journal.Latest] returns the last
// one: an execution whose name isn't behind all others is lost as soon as it is written,
// and another one begun in its place. So it is an error when last is no such name, or is
// of a later epoch: then what is known of the lease is older than the journal.
func executionID(e dr.Epoch, last string) (string, error) {
	if e > mostEpoch {
		return "", fmt.Errorf("failover: epoch %d has more than ten digits: the lease is not one of ours", e)
	}
	attempt := uint64(1)
	if last != "" {
		epoch, newest, ok := parseID(last)
		switch {
		case !ok:
			return "", fmt.Errorf("failover: the journal's newest execution is named %q and not as EPOCH-ATTEMPT, such as 0000000007-0001: remove the foreign entry", last)
		case epoch > e:
			return "", fmt.Errorf("failover: execution %s is newer than epoch %d: what is known of the lease is older than the journal: look again", last, e)
		case epoch == e:
			attempt = newest + 1
		}
	}
	switch {
	case attempt > mostAttempt:
		return "", fmt.Errorf("failover: epoch %d has had %d executions: ask a person to look at the journal", e, uint64(mostAttempt))
	case attempt >= wideAttempt:
		return fmt.Sprintf("%010d-x%09d", e, attempt), nil
	}
	return fmt.Sprintf("%010d-%04d", e, attempt), nil
}

// parseID reads what executionID writes.
func parseID(id string) (e dr.Epoch, attempt uint64, ok bool) {
	m := idForm.FindStringSubmatch(id)
	if m == nil {
		return 0, 0, false
	}
	epoch, _ := strconv.ParseUint(m[1], 10, 64) // ten digits fit, and nine
	digits, wide := strings.CutPrefix(m[2], "x")
	attempt, _ = strconv.ParseUint(digits, 10, 64)
	return dr.Epoch(epoch), attempt, wide == (attempt >= wideAttempt)
}
