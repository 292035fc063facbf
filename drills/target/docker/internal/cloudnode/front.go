package cloudnode

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/miekg/dns"
	"golang.org/x/sync/errgroup"

	"github.com/lifeboat-dr/lifeboat/drills/cloud"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// instance is one cloud with its listeners.
type instance struct {
	cfg     Config
	cloud   *cloud.Cloud
	servers *servers
	fronts  []front
	counted *counts

	ctx   context.Context
	stop  context.CancelFunc
	ended chan struct{} // closed after err is set
	err   error
}

// front is what one Region listens on.
type front struct {
	region dr.Region
	api    net.Listener
	names  net.PacketConn
}

// open makes a cloud and opens its ports. It serves, after start, until ctx ends
// or end is called.
func open(ctx context.Context, cfg Config) (*instance, error) {
	ctx, stop := context.WithCancel(ctx)
	s := newServers(ctx, cfg)
	counted := newCounts()
	emulation := cfg.emulation(s)
	emulation.Observe = counted.observe
	c, err := cloud.New(emulation)
	if err != nil {
		stop()
		return nil, err
	}
	i := &instance{cfg: cfg, cloud: c, servers: s, counted: counted, ctx: ctx, stop: stop, ended: make(chan struct{})}
	for _, r := range cfg.Regions {
		f := front{region: r.Name}
		address := fmt.Sprintf(":%d", r.Port)
		if f.api, err = net.Listen("tcp4", address); err == nil {
			f.names, err = net.ListenPacket("udp4", address)
		}
		i.fronts = append(i.fronts, f)
		if err != nil {
			i.close()
			return nil, fmt.Errorf("cloudnode: open the ports of %s: %w", r.Name, err)
		}
	}
	return i, nil
}

func (i *instance) close() {
	i.stop()
	for _, f := range i.fronts {
		if f.api != nil {
			f.api.Close()
		}
		if f.names != nil {
			f.names.Close()
		}
	}
}

func (i *instance) start() {
	g, ctx := errgroup.WithContext(i.ctx)
	g.Go(func() error { return i.cloud.Run(ctx) })
	for _, f := range i.fronts {
		api := &http.Server{Handler: i.handler(f.region), BaseContext: func(net.Listener) context.Context { return ctx }}
		names := &dns.Server{PacketConn: f.names, Handler: i.cloud.DNS(f.region)}
		g.Go(func() error {
			if err := api.Serve(f.api); !errors.Is(err, http.ErrServerClosed) {
				return fmt.Errorf("cloudnode: serve the API of %s: %w", f.region, err)
			}
			return nil
		})
		g.Go(func() error {
			if err := names.ActivateAndServe(); err != nil && ctx.Err() == nil {
				return fmt.Errorf("cloudnode: serve the names of %s: %w", f.region, err)
			}
			return nil
		})
		g.Go(func() error {
			<-ctx.Done()
			f.names.Close()
			return api.Close()
		})
	}
	go func() {
		defer close(i.ended)
		i.err = g.Wait()
		i.stop()
		i.servers.tasks.Wait()
	}()
}

// end stops serving and waits until everything has ended and the ports are free.
func (i *instance) end() error {
	i.stop()
	<-i.ended
	return i.err
}

// handler serves one Region's API. A caller from another Region gets there only
// over the link between the two, and pays its round trip.
func (i *instance) handler(region dr.Region) http.Handler {
	own := i.cloud.Handler(region)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from := i.caller(r.RemoteAddr)
		if from == "" || from == region {
			own.ServeHTTP(w, r)
			return
		}
		// With its body read, the server notices when the caller gives up; what
		// waits for a link must not be served after that.
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		r.URL.Scheme, r.URL.Host = "http", region.String()
		answer, err := i.cloud.From(from).RoundTrip(r)
		if err != nil {
			panic(http.ErrAbortHandler) // the documented way to drop a connection
		}
		defer answer.Body.Close()
		for k, v := range answer.Header {
			w.Header()[k] = v
		}
		w.WriteHeader(answer.StatusCode)
		_, _ = io.Copy(w, answer.Body) // the caller may be gone
	})
}

func (i *instance) caller(remote string) dr.Region {
	a, err := netip.ParseAddrPort(remote)
	if err != nil {
		return ""
	}
	return i.cfg.caller(a.Addr())
}

func (i *instance) info() Info {
	info := Info{
		Endpoint: strings.TrimSuffix(i.cloud.GlobalEndpoint(), "."),
		Clusters: map[dr.Region]string{}, Topics: map[dr.Region]string{}, Secrets: map[dr.Region]map[string]string{},
	}
	for _, r := range i.cfg.Regions {
		info.Topics[r.Name] = i.cloud.TopicARN(r.Name, i.cfg.Topic)
	}
	for _, r := range i.cfg.members() {
		info.Clusters[r.Name] = i.cfg.cluster(r.Name)
		info.Secrets[r.Name] = map[string]string{i.cfg.Admin.User: i.cloud.SecretARN(r.Name, adminSecret)}
		for _, a := range i.cfg.Apps {
			info.Secrets[r.Name][a.User] = i.cloud.SecretARN(r.Name, appSecret(a))
		}
	}
	return info
}
