package docker_test

import (
	"bufio"
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/target/docker"
)

// childVariable makes this test binary the process that is killed.
const childVariable = "LIFEBOAT_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		child()
		return
	}
	os.Exit(m.Run())
}

// child makes a small fleet, says so, and waits to be killed.
func child() {
	if os.Getenv(childVariable) == "preflight" {
		if err := docker.Preflight(context.Background()); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		return
	}
	f, err := docker.Up(context.Background(), small())
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("up", f.Run())
	if os.Getenv(childVariable) == "panic" {
		panic("as ordered")
	}
	select {}
}

// small is two networks with a link and nothing else.
func small() docker.Config {
	return docker.Config{
		Regions: []docker.Region{{Name: "a"}, {Name: "b"}},
		Links:   []docker.Link{{A: "a", B: "b"}},
	}
}

// However the test process ends, its containers are gone within seconds; its
// networks too if it could do something about it, else with the next Up.
func TestNothingStays(t *testing.T) {
	needDocker(t)
	for _, tt := range []struct {
		name     string
		mode     string
		signal   syscall.Signal
		networks int // that are left
	}{
		{"interrupt", "wait", syscall.SIGINT, 0},
		{"terminate", "wait", syscall.SIGTERM, 0},
		{"kill", "wait", syscall.SIGKILL, 2},
		{"panic", "panic", 0, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), childVariable+"="+tt.mode)
			out, err := cmd.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			line, err := bufio.NewReader(out).ReadString('\n')
			require.NoError(t, err)
			run, ok := strings.CutPrefix(strings.TrimSpace(line), "up ")
			require.True(t, ok, line)
			label := "lifeboat.run=" + run
			if tt.signal != 0 {
				containers, networks := leftovers(t, label)
				require.Len(t, containers, 1)
				require.Len(t, networks, 2)
				require.NoError(t, cmd.Process.Signal(tt.signal))
			}
			err = cmd.Wait()
			require.Error(t, err, "the signal still ends the process")
			if tt.signal != 0 {
				require.Equal(t, tt.signal, cmd.ProcessState.Sys().(syscall.WaitStatus).Signal())
			}

			var networks []string
			require.Eventually(t, func() bool {
				var containers []string
				containers, networks = leftovers(t, label)
				return len(containers) == 0
			}, 20*time.Second, 100*time.Millisecond)
			require.Len(t, networks, tt.networks)

			f, err := docker.Up(t.Context(), small())
			require.NoError(t, err)
			defer func() { require.NoError(t, f.Close()) }()
			_, networks = leftovers(t, label)
			require.Empty(t, networks, "the next Up sweeps")
		})
	}
}

func TestCloseRemovesEverythingAndOnlyOurs(t *testing.T) {
	needDocker(t)
	ctx := t.Context()
	c, err := client.New(client.FromEnv)
	require.NoError(t, err)
	defer c.Close()
	// A network of another program, in the range that Up prefers, with the same label.
	other, err := c.NetworkCreate(ctx, "lifeboat-test-foreign", client.NetworkCreateOptions{
		Driver: "bridge", Labels: map[string]string{"lifeboat.run": "x"},
		IPAM: &network.IPAM{Config: []network.IPAMConfig{{Subnet: netip.MustParsePrefix("10.213.0.0/20")}}},
	})
	require.NoError(t, err)
	defer func() {
		_, err := c.NetworkRemove(context.WithoutCancel(ctx), other.ID, client.NetworkRemoveOptions{})
		require.NoError(t, err, "it must still be there")
	}()

	f, err := docker.Up(ctx, small())
	require.NoError(t, err)
	require.False(t, netip.MustParsePrefix("10.213.0.0/20").Overlaps(f.Subnet("a")))
	label := "lifeboat.run=" + f.Run()
	containers, networks := leftovers(t, label)
	require.Len(t, containers, 1)
	require.Len(t, networks, 2)
	require.NoError(t, f.Close())
	require.NoError(t, f.Close(), "again")
	containers, networks = leftovers(t, label)
	require.Empty(t, containers)
	require.Empty(t, networks)
}

// A start that fails says why and leaves nothing.
func TestFailedUpLeavesNothing(t *testing.T) {
	needDocker(t)
	for name, tt := range map[string]struct {
		edit func(*docker.Config)
		want string
	}{
		"role": {
			func(c *docker.Config) {
				c.Nodes = []docker.NodeSpec{{Name: "a/x", Region: "a", Role: "juggler"}}
			}, `no role "juggler"`,
		},
		"settings": {
			func(c *docker.Config) {
				c.Nodes = []docker.NodeSpec{{
					Name: "a/x", Region: "a", Role: "link",
					Settings: func(*docker.Fleet) (any, error) { return "no object", nil },
				}}
			}, "settings of a/x",
		},
		"no such image": {
			func(c *docker.Config) { c.Image = "lifeboat.invalid/mysql:0" },
			docker.ImageVariable,
		},
		"not a MySQL image": {
			func(c *docker.Config) {
				c.Image = nodeImage(t)
				c.Regions[0].Database = true
			}, `"mysqld": executable file not found`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := small()
			tt.edit(&cfg)
			_, err := docker.Up(t.Context(), cfg)
			require.ErrorContains(t, err, tt.want)
			t.Log(err)
		})
	}
	// Other processes may have fleets; this one has none.
	containers, networks := leftovers(t, fmt.Sprintf("lifeboat.pid=%d", os.Getpid()))
	require.Empty(t, containers)
	require.Empty(t, networks)
}

// nodeImage returns an image that is there and has no MySQL in it.
func nodeImage(t *testing.T) string {
	t.Helper()
	f, err := docker.Up(t.Context(), small())
	require.NoError(t, err)
	require.NoError(t, f.Close())
	c, err := client.New(client.FromEnv)
	require.NoError(t, err)
	defer c.Close()
	list, err := c.ImageList(t.Context(), client.ImageListOptions{Filters: make(client.Filters).Add("label", "lifeboat.node")})
	require.NoError(t, err)
	for _, image := range list.Items {
		// One that two processes have built at once is there twice, and once without a name.
		for _, tag := range image.RepoTags {
			if tag != "<none>:<none>" {
				return tag
			}
		}
	}
	require.Fail(t, "no image of a node has a name")
	return ""
}

// A process finds its engine once, so another one looks here.
func TestPreflightSaysWhatToDoWithoutAnEngine(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"=preflight", "DOCKER_HOST=tcp://127.0.0.1:1")
	out, err := cmd.CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), docker.ErrNoEngine.Error())
	require.Contains(t, string(out), "start Docker, or set DOCKER_HOST")
	require.Equal(t, 1, strings.Count(string(out), "\n"), "one clear error: %s", out)
	t.Log(string(out))
}

func TestConfigValidateReportsEverything(t *testing.T) {
	require.NoError(t, docker.DefaultConfig().Validate())
	cfg := docker.Config{
		Regions: []docker.Region{{Name: "a"}, {Name: "a"}},
		Links:   []docker.Link{{A: "a", B: "c", OneWay: -1}, {A: "a", B: "a"}},
		Writer:  "a",
		Nodes:   []docker.NodeSpec{{Name: "n", Region: "z"}, {Name: "n", Region: "a", Role: "r"}},
	}
	err := cfg.Validate()
	for _, want := range []string{`"a" must be unique`, "a - c", "negative", "a - a", `writer "a"`, `no Region "z"`, "no role", `"n" must be unique`} {
		require.ErrorContains(t, err, want)
	}
	require.ErrorContains(t, docker.Config{}.Validate(), "no Regions")
}
