package link_test

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/link"
)

var (
	east   = netip.MustParseAddr("10.1.0.10")
	west   = netip.MustParseAddr("10.2.0.10")
	client = netip.MustParseAddr("10.2.0.20")
	config = link.Config{
		A:      link.End{Region: "east", Prefix: netip.MustParsePrefix("10.1.0.0/24")},
		B:      link.End{Region: "west", Prefix: netip.MustParsePrefix("10.2.0.0/24")},
		OneWay: 30 * time.Millisecond,
		Flows:  []link.Flow{{Name: "east", Source: east, Port: 3306, Destination: west}},
	}
)

// tcp returns an IPv4 packet with the beginning of a TCP header.
func tcp(from, to netip.Addr, sourcePort uint16, id byte) []byte {
	p := make([]byte, 41)
	p[0], p[9], p[40] = 0x45, 6, id
	copy(p[12:], from.AsSlice())
	copy(p[16:], to.AsSlice())
	binary.BigEndian.PutUint16(p[20:], sourcePort)
	return p
}

// route writes packets at the start and returns which came back, by id, and when.
func route(t *testing.T, prepare func(*link.Router), packets ...[]byte) map[byte]time.Duration {
	t.Helper()
	out := map[byte]time.Duration{}
	synctest.Test(t, func(t *testing.T) {
		r, err := link.NewRouter(config)
		require.NoError(t, err)
		prepare(r)
		kernel, device := net.Pipe()
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- r.Run(ctx, device) }()
		start := time.Now()
		read := make(chan struct{})
		go func() {
			defer close(read)
			buf := make([]byte, 2000)
			for {
				n, err := kernel.Read(buf)
				if err != nil {
					return
				}
				out[buf[n-1]] = time.Since(start)
			}
		}()
		for _, p := range packets {
			_, err := kernel.Write(p)
			require.NoError(t, err)
		}
		<-time.After(time.Minute)
		cancel()
		require.NoError(t, <-ended)
		kernel.Close()
		<-read
	})
	return out
}

func TestRouterDelaysBothDirections(t *testing.T) {
	out := route(t, func(*link.Router) {},
		tcp(east, west, 40000, 1), tcp(west, east, 3306, 2), tcp(east, client, 3306, 3))
	require.Equal(t, map[byte]time.Duration{
		1: 30 * time.Millisecond, 2: 30 * time.Millisecond, 3: 30 * time.Millisecond,
	}, out)
}

func TestRouterDropsWhatIsNotItsBusiness(t *testing.T) {
	stranger := netip.MustParseAddr("192.0.2.1")
	out := route(t, func(*link.Router) {},
		tcp(stranger, west, 1, 1), tcp(east, stranger, 1, 2), tcp(east, east, 1, 3),
		[]byte{0x60, 4}, make([]byte, 40))
	require.Empty(t, out)
}

func TestRouterLagsOneFlow(t *testing.T) {
	fragment := tcp(east, west, 3306, 6)
	binary.BigEndian.PutUint16(fragment[6:], 100) // no TCP header in here
	out := route(t, func(r *link.Router) { require.NoError(t, r.Lag("east", 5*time.Second, 0)) },
		tcp(east, west, 3306, 1),   // the source's data to the replica
		tcp(west, east, 40000, 2),  // the replica's acknowledgements
		tcp(east, client, 3306, 3), // the same server to another host
		tcp(east, west, 40000, 4),  // something else between the same hosts
		fragment)
	base := 30 * time.Millisecond
	require.Equal(t, map[byte]time.Duration{1: base + 5*time.Second, 2: base, 3: base, 4: base, 6: base}, out)
}

func TestRouterRefusesNonsense(t *testing.T) {
	r, err := link.NewRouter(config)
	require.NoError(t, err)
	require.ErrorContains(t, r.Lag("north", time.Second, 0), `no flow "north"`)
	require.ErrorContains(t, r.Lag("east", -time.Second, 0), "negative")

	bad := config
	bad.B.Prefix, bad.OneWay = bad.A.Prefix, -1
	_, err = link.NewRouter(bad)
	require.ErrorContains(t, err, "apart")
	require.ErrorContains(t, err, "negative")
}

// A device that dies takes the link with it, with an error.
func TestRouterReportsADeadDevice(t *testing.T) {
	r, err := link.NewRouter(config)
	require.NoError(t, err)
	dead := errors.New("device gone")
	require.ErrorIs(t, r.Run(t.Context(), broken{dead}), dead)
}

type broken struct{ err error }

func (b broken) Read([]byte) (int, error)  { return 0, b.err }
func (b broken) Write([]byte) (int, error) { return 0, b.err }
func (b broken) Close() error              { return nil }
