package docker

import (
	"encoding/json"
	"fmt"

	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/host"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/link"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/mysqld"
)

// plan decides the address and the configuration of every node; node is the binary
// for the containers of another image. The networks are there, nothing else is.
func (f *Fleet) plan(mysql, image string, node File) error {
	routes := map[string][]host.Route{}
	var links []*Node
	next := map[string]int{}
	for _, l := range f.cfg.Links {
		a, b := f.place(l.A, firstLink+next[l.A]), f.place(l.B, firstLink+next[l.B])
		next[l.A]++
		next[l.B]++
		routes[l.A] = append(routes[l.A], host.Route{To: f.subnets[l.B], Via: a.addr})
		routes[l.B] = append(routes[l.B], host.Route{To: f.subnets[l.A], Via: b.addr})
		links = append(links, f.node(linkName(l.A, l.B), l.A, containerSpec{
			image: image, link: true, ends: pair(l.A, l.B), places: []place{a, b}, config: host.Config{Role: "link"},
		}))
	}
	var id uint32
	for _, r := range f.cfg.Regions {
		if !r.Database {
			continue
		}
		id++
		spec := containerSpec{
			image: mysql, database: true, places: []place{f.place(r.Name, database)},
			config: host.Config{Role: "db", Routes: routes[r.Name]},
			files:  []File{node},
		}
		if err := settings(&spec, mysqld.Config{ServerID: id}); err != nil {
			return err
		}
		f.add(f.node(databaseName(r.Name), r.Name, spec))
	}
	for i, l := range f.cfg.Links {
		n, flows := links[i], f.flowsBetween(l.A, l.B)
		for _, flow := range flows {
			n.spec.flows = append(n.spec.flows, flow.Name)
		}
		err := settings(&n.spec, link.Config{
			A:      link.End{Region: l.A, Prefix: f.subnets[l.A]},
			B:      link.End{Region: l.B, Prefix: f.subnets[l.B]},
			OneWay: l.OneWay,
			Flows:  flows,
		})
		if err != nil {
			return err
		}
		f.add(n)
	}
	return f.planNodes(image, routes)
}

// planNodes plans the nodes of the configuration: first all addresses, then all settings.
func (f *Fleet) planNodes(image string, routes map[string][]host.Route) error {
	next := map[string]int{}
	var nodes []*Node
	for _, s := range f.cfg.Nodes {
		number := firstNode + next[s.Region]
		if number > 254 {
			return fmt.Errorf("docker: %s has no address left for node %s", s.Region, s.Name)
		}
		next[s.Region]++
		n := f.node(s.Name, s.Region, containerSpec{
			image: image, places: []place{f.place(s.Region, number)}, files: s.Files,
			config: host.Config{Role: s.Role, Routes: routes[s.Region]},
		})
		f.add(n)
		nodes = append(nodes, n)
	}
	for i, s := range f.cfg.Nodes {
		if s.Settings == nil {
			continue
		}
		v, err := s.Settings(f)
		if err != nil {
			return fmt.Errorf("docker: settings of %s: %w", s.Name, err)
		}
		if err := settings(&nodes[i].spec, v); err != nil {
			return err
		}
	}
	return nil
}

func (f *Fleet) place(region string, number int) place {
	return place{network: f.networks[region], addr: hostAt(f.subnets[region], number)}
}

func (f *Fleet) node(name, region string, spec containerSpec) *Node {
	spec.config.Name, spec.config.Region = name, region
	out := &output{}
	if f.cfg.Logs != nil {
		out.to = f.cfg.Logs(name)
	}
	return &Node{name: name, region: region, addr: spec.places[0].addr, spec: spec, output: out, gone: make(chan struct{}), held: make(chan struct{})}
}

func (f *Fleet) add(n *Node) {
	f.nodes = append(f.nodes, n)
	f.byName[n.name] = n
}

// flowsBetween names the replication from each of two Regions to the other.
func (f *Fleet) flowsBetween(a, b string) []link.Flow {
	from, okFrom := f.byName[databaseName(a)]
	to, okTo := f.byName[databaseName(b)]
	if !okFrom || !okTo {
		return nil
	}
	flow := func(from, to *Node) link.Flow {
		return link.Flow{Name: from.region, Source: from.addr, Port: mysqld.Port, Destination: to.addr}
	}
	return []link.Flow{flow(from, to), flow(to, from)}
}

func settings(spec *containerSpec, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("docker: settings of %s: %w", spec.config.Name, err)
	}
	spec.config.Settings = b
	return nil
}
