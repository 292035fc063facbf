package docker

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"

	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/control"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/host"
)

const tunDevice = "/dev/net/tun"

// containerSpec is a container that is to be made.
type containerSpec struct {
	image  string
	config host.Config
	// places are the networks to stand in; the first is the one that Docker
	// publishes the control port through.
	places []place
	files  []File
	// database containers get memory for the data directory, links a TUN
	// device and forwarding.
	database, link bool
	ends           [2]string // of a link: the Regions that it joins
	flows          []string  // of a link: what it can lag
}

// place is an address in a network.
type place struct {
	network string // id
	addr    netip.Addr
}

// create makes the container without starting it and returns its id.
func (e *engine) create(ctx context.Context, run run, spec containerSpec) (string, error) {
	cfg, err := json.Marshal(spec.config)
	if err != nil {
		return "", fmt.Errorf("docker: configure %s: %w", spec.config.Name, err)
	}
	port := network.MustParsePort(fmt.Sprintf("%d/tcp", control.Port))
	off := false
	hc := &container.HostConfig{
		AutoRemove:   true,
		Init:         &off,
		CapAdd:       []string{"NET_ADMIN"},
		NetworkMode:  container.NetworkMode(spec.places[0].network),
		PortBindings: network.PortMap{port: {{HostIP: e.publishOn()}}},
		// One database writes a log line per connection that a fault breaks.
		LogConfig: container.LogConfig{Type: "json-file", Config: map[string]string{"max-size": "10m", "max-file": "1"}},
	}
	// However the engine's machine is tuned: no window and no estimate of
	// bandwidth may add to a delay that a drill injects. (Under BBR, a host's
	// favourite, a lag of 3 s became one of 9 s.)
	hc.Sysctls = map[string]string{
		"net.ipv4.tcp_congestion_control": "reno",
		"net.ipv4.tcp_rmem":               "4096 4194304 33554432",
	}
	if spec.database {
		hc.Tmpfs = map[string]string{"/var/lib/lifeboat": "size=2g,mode=0755"}
	}
	if spec.link {
		hc.Devices = []container.DeviceMapping{{PathOnHost: tunDevice, PathInContainer: tunDevice, CgroupPermissions: "rwm"}}
		hc.Sysctls["net.ipv4.ip_forward"] = "1"
		// What comes back from the delaying device has a source address that
		// belongs to another interface.
		hc.Sysctls["net.ipv4.conf.all.rp_filter"] = "0"
		hc.Sysctls["net.ipv4.conf.default.rp_filter"] = "0"
	}
	at := func(p place) *network.EndpointSettings {
		return &network.EndpointSettings{IPAMConfig: &network.EndpointIPAMConfig{IPv4Address: p.addr}}
	}
	made, err := e.ContainerCreate(ctx, client.ContainerCreateOptions{
		Name: run.name(spec.config.Name),
		Config: &container.Config{
			Image:        spec.image,
			Entrypoint:   []string{"/" + nodeFile},
			Cmd:          []string{},
			User:         "0",
			Env:          []string{host.Variable + "=" + string(cfg)},
			Labels:       run.labels(),
			ExposedPorts: network.PortSet{port: {}},
		},
		HostConfig: hc,
		NetworkingConfig: &network.NetworkingConfig{EndpointsConfig: map[string]*network.EndpointSettings{
			spec.places[0].network: at(spec.places[0]),
		}},
	})
	if err != nil {
		return "", fmt.Errorf("docker: make container %s: %w", spec.config.Name, err)
	}
	for _, p := range spec.places[1:] {
		_, err := e.NetworkConnect(ctx, p.network, client.NetworkConnectOptions{Container: made.ID, EndpointConfig: at(p)})
		if err != nil {
			return "", fmt.Errorf("docker: connect container %s: %w", spec.config.Name, err)
		}
	}
	if len(spec.files) > 0 {
		archive, err := archiveOf(spec.files...)
		if err != nil {
			return "", err
		}
		if _, err := e.CopyToContainer(ctx, made.ID, client.CopyToContainerOptions{DestinationPath: "/", Content: archive}); err != nil {
			return "", fmt.Errorf("docker: copy files to container %s: %w", spec.config.Name, err)
		}
	}
	return made.ID, nil
}

// publishOn is the address on the engine's machine where control ports are
// published: loopback, unless the engine is on another machine.
func (e *engine) publishOn() netip.Addr {
	if ip, err := netip.ParseAddr(e.host); (err == nil && ip.IsLoopback()) || e.host == "localhost" {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return netip.IPv4Unspecified()
}

// start starts a container and returns where its control port is published.
func (e *engine) start(ctx context.Context, id string) (string, error) {
	if _, err := e.ContainerStart(ctx, id, client.ContainerStartOptions{}); err != nil {
		if strings.Contains(err.Error(), tunDevice) {
			err = fmt.Errorf("%w; links need the tun module in the kernel of the engine's machine (modprobe tun)", err)
		}
		return "", fmt.Errorf("docker: start container: %w", err)
	}
	info, err := e.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	if err != nil {
		return "", fmt.Errorf("docker: look at container: %w", err)
	}
	for _, bindings := range info.Container.NetworkSettings.Ports {
		for _, b := range bindings {
			return net.JoinHostPort(e.host, b.HostPort), nil
		}
	}
	return "", fmt.Errorf("docker: the engine published no control port for the container (state %s)", info.Container.State.Status)
}

// logs copies a container's output to w until the container or ctx ends.
func (e *engine) logs(ctx context.Context, id string, w io.Writer) error {
	r, err := e.ContainerLogs(ctx, id, client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true, Follow: true})
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = stdcopy.StdCopy(w, w, r)
	return err
}
