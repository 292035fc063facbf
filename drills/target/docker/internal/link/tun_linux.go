package link

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"

	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/route"
)

const (
	device      = "delay0"
	deviceTable = 100 // any number that the system doesn't use (it has 0 and 253 to 255)
)

// Open makes the TUN device of a link in this network namespace and diverts to
// it what comes from one side for the other. It needs /dev/net/tun,
// CAP_NET_ADMIN and net.ipv4.ip_forward=1.
func Open(a, b netip.Prefix) (*os.File, error) {
	f, err := openTUN(device)
	if err != nil {
		return nil, fmt.Errorf("link: open /dev/net/tun (the engine's kernel needs the tun module): %w", err)
	}
	divert := func(from, to netip.Prefix) error {
		in, err := interfaceIn(from)
		if err != nil {
			return err
		}
		return route.Divert(in, to, device, deviceTable)
	}
	if err := errors.Join(divert(a, b), divert(b, a)); err != nil {
		f.Close()
		return nil, fmt.Errorf("link: %w", err)
	}
	return f, nil
}

func openTUN(name string) (*os.File, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	// The device must exist before the runtime's poller learns of the
	// descriptor, or the poller only ever sees an error on it.
	if err := setUp(fd, name); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), name), nil
}

func setUp(fd int, name string) error {
	ifr, err := unix.NewIfreq(name)
	if err != nil {
		return err
	}
	ifr.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, ifr); err != nil {
		return fmt.Errorf("make device: %w", err)
	}
	sock, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(sock)
	ifr.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(sock, unix.SIOCSIFFLAGS, ifr); err != nil {
		return fmt.Errorf("bring device up: %w", err)
	}
	return nil
}

// interfaceIn returns the name of the interface that has an address in prefix.
func interfaceIn(prefix netip.Prefix) (string, error) {
	all, err := net.Interfaces()
	if err != nil {
		return "", err
	}
	for _, i := range all {
		addrs, err := i.Addrs()
		if err != nil {
			return "", err
		}
		for _, a := range addrs {
			if p, err := netip.ParsePrefix(a.String()); err == nil && prefix.Contains(p.Addr()) {
				return i.Name, nil
			}
		}
	}
	return "", fmt.Errorf("no interface in %s", prefix)
}
