package link_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/link"
)

// FuzzPacket reads any bytes as an IPv4 packet: nothing panics, and what has a header
// has two addresses in it.
func FuzzPacket(f *testing.F) {
	f.Add(tcp(east, west, 3306, 1))
	f.Add(tcp(east, west, 3306, 1)[:21])
	f.Add([]byte{0x4f, 19: 0})
	f.Add([]byte{0x40, 9: 6, 40: 0})
	f.Fuzz(func(t *testing.T, packet []byte) {
		source, destination, tcp, port, ok := link.Parse(packet)
		require.Equal(t, len(packet) >= 20 && packet[0]>>4 == 4, ok)
		require.Equal(t, ok, source.Is4() && destination.Is4())
		if !tcp {
			require.Zero(t, port)
		}
	})
}
