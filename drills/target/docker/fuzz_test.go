package docker_test

import (
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/target/docker"
)

// FuzzAbandoned reads the labels of any container. Only what this machine's process has
// made that is surely gone is left over: of another machine, of no process and of one
// that lives, nothing is removed.
func FuzzAbandoned(f *testing.F) {
	for _, pid := range []string{"", "0", "-1", "-2147483648", "1", "+1", "01", "4194305", "2147483647", "2147483648", "9223372036854775808", "self", " 7"} {
		f.Add("here", "here", pid)
		f.Add("here", "there", pid)
	}
	f.Fuzz(func(t *testing.T, host, labelled, pid string) {
		require.False(t, docker.Abandoned(host, docker.Labels(host, os.Getpid())), "its own")
		require.False(t, docker.Abandoned(host, docker.Labels(host, os.Getppid())), "one that lives")
		labels := docker.Labels(labelled, 1)
		require.Contains(t, labels, "lifeboat.pid")
		labels["lifeboat.pid"] = pid
		if !docker.Abandoned(host, labels) {
			return
		}
		require.Equal(t, host, labelled)
		n, err := strconv.Atoi(pid)
		require.NoError(t, err)
		require.Equal(t, pid, strconv.Itoa(n))
		require.Positive(t, n)
		_, err = os.Stat("/proc/" + pid)
		require.ErrorIs(t, err, os.ErrNotExist, "its process lives")
	})
}
