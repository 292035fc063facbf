package docker

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"net"
	"net/netip"
	"strings"

	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
)

// Subnets are taken from subnetPool, subnetSize bits each. We choose them
// ourselves because Docker gives fixed addresses only in subnets that its user
// chose, and nodes must know each other's addresses before the first one starts.
var subnetPool = netip.MustParsePrefix("10.213.0.0/16")

const (
	subnetBits = 24
	subnets    = 1 << (subnetBits - 16)
)

// Host numbers in every subnet; the gateway is Docker's and has 1.
const (
	firstLink = 2
	database  = 10
	firstNode = 20
)

// makeNetwork makes the network of a Region in the first free subnet, looking
// from a place that differs from run to run, and returns its id and subnet.
func (e *engine) makeNetwork(ctx context.Context, run run, region string) (string, netip.Prefix, error) {
	busy, err := e.busySubnets(ctx)
	if err != nil {
		return "", netip.Prefix{}, err
	}
	h := fnv.New32()
	h.Write([]byte(run.id + region))
	start := int(h.Sum32() % subnets)
	var last error
	for i := range subnets {
		subnet := subnetAt((start + i) % subnets)
		if overlapsAny(subnet, busy) {
			continue
		}
		made, err := e.NetworkCreate(ctx, run.name(region), client.NetworkCreateOptions{
			Driver: "bridge",
			IPAM:   &network.IPAM{Config: []network.IPAMConfig{{Subnet: subnet, Gateway: hostAt(subnet, 1)}}},
			Labels: run.labels(),
			Options: map[string]string{
				// Nothing leaves a Region except through a link, and what a
				// link forwards must keep its source address.
				"com.docker.network.bridge.enable_ip_masquerade": "false",
				// The engine's default may be smaller than a link's device.
				"com.docker.network.driver.mtu": "1500",
			},
		})
		if err == nil {
			return made.ID, subnet, nil
		}
		// Another process was faster, or the engine knows of a use that is not listed.
		if !strings.Contains(err.Error(), "overlap") {
			return "", netip.Prefix{}, fmt.Errorf("docker: make network of %s: %w", region, err)
		}
		last = err
	}
	return "", netip.Prefix{}, fmt.Errorf("docker: make network of %s: no /%d in %s is free; remove networks that are not needed (docker network ls): %w",
		region, subnetBits, subnetPool, errors.Join(last))
}

// busySubnets returns the networks that the engine and this machine use.
func (e *engine) busySubnets(ctx context.Context) ([]netip.Prefix, error) {
	list, err := e.NetworkList(ctx, client.NetworkListOptions{})
	if err != nil {
		return nil, fmt.Errorf("docker: list networks: %w", err)
	}
	var busy []netip.Prefix
	for _, n := range list.Items {
		for _, c := range n.IPAM.Config {
			busy = append(busy, c.Subnet)
		}
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil, fmt.Errorf("docker: list addresses: %w", err)
	}
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			busy = append(busy, p.Masked())
		}
	}
	return busy, nil
}

func overlapsAny(p netip.Prefix, busy []netip.Prefix) bool {
	for _, b := range busy {
		if b.IsValid() && p.Overlaps(b) {
			return true
		}
	}
	return false
}

// subnetAt returns the i-th subnet of the pool.
func subnetAt(i int) netip.Prefix {
	a := subnetPool.Addr().As4()
	a[2] = byte(i)
	return netip.PrefixFrom(netip.AddrFrom4(a), subnetBits)
}

// hostAt returns the address of host number n in subnet.
func hostAt(subnet netip.Prefix, n int) netip.Addr {
	a := subnet.Addr().As4()
	a[3] = byte(n)
	return netip.AddrFrom4(a)
}
