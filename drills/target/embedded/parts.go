package embedded

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/lifeboat-dr/lifeboat/drills/cloud/direct"
	"github.com/lifeboat-dr/lifeboat/drills/target/embedded/internal/functions"
	"github.com/lifeboat-dr/lifeboat/lambdas/function/assembly"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/dynamo"
)

// parts are what one process of a Region calls: the emulated cloud and the databases in
// memory, all behind the process's gate.
type parts struct {
	*world
	region  dr.Region
	process *functions.Process
	client  aws.HTTPClient
	kept    *kept
}

func (w *world) parts(r dr.Region, p *functions.Process) parts {
	return parts{w, r, p, p.HTTP(w.http(r)), &kept{}}
}

// assemble returns what the process's function is put together from, which is what is
// deployed but for what it reaches.
func (p parts) assemble(trace *dr.Trace, l *lambda) (assembly.Config, error) {
	table, err := p.table(p.region, p.client)
	return assembly.Config{
		Region: p.region, Topology: p.setup.Topology, Policy: p.setup.Policy, Clusters: p.clusters(),
		Topic: p.cloud.TopicARN(p.region, topicName), Name: triggerName, Trigger: triggerName,
		AWS: awsConfig(), HTTP: p.client, URL: func(s assembly.Service, at dr.Region) string { return endpoint(hosts[s], at) },
		Table: table, Databases: databases{p}, Lambda: lambdaAPI{p, l}, Trace: trace,
	}, err
}

// hosts are the services' names in their addresses.
var hosts = map[assembly.Service]string{assembly.RDS: "rds", assembly.CloudWatch: "monitoring", assembly.SNS: "sns"}

// dial returns a Region's database as the process reaches it.
func (p parts) dial(to dr.Region) line { return line{p, to, p.world.dial(p.region, to)} }

// clusters names the member clusters by Region, as the emulated cloud does.
func (w *world) clusters() map[dr.Region]string {
	out := make(map[dr.Region]string)
	for _, r := range w.setup.Topology.Members {
		out[r] = w.setup.Topology.GlobalCluster + "-" + r.String()
	}
	return out
}

// table returns the lease table as a Region reaches it.
func (w *world) table(r dr.Region, client aws.HTTPClient) (assembly.Table, error) {
	var clients []dynamo.Client
	for _, to := range assembly.Replicas(w.setup.Topology, r) {
		clients = append(clients, direct.NewClient(url.URL{Scheme: "http", Host: host("dynamodb", to)}, authorization("dynamodb", to.String()), client))
	}
	jitter := func() float64 { return float64(w.jitter("pause", string(r))) / float64(mostJitter) }
	return assembly.NewTable(w.setup.Topology, r, tableName, jitter, clients...)
}

func endpoint(service string, r dr.Region) string {
	return "http://" + host(service, r)
}

func host(service string, r dr.Region) string {
	return service + "." + r.String() + ".amazonaws.com"
}

// http carries a Region's calls to the emulated cloud over the drill's network.
func (w *world) http(from dr.Region) aws.HTTPClient {
	carrier := w.cloud.From(from)
	return doer(func(r *http.Request) (*http.Response, error) {
		if err := w.hush(r.Context(), from); err != nil {
			return nil, err
		}
		if err := pause(r.Context(), w.jitter(string(from), r.URL.Host, r.Header.Get("X-Amz-Target"), strconv.FormatInt(r.ContentLength, 10))); err != nil {
			return nil, err
		}
		answer, err := carrier.Do(r)
		if err != nil {
			return nil, err
		}
		if err := w.hush(r.Context(), from); err != nil { // the answer found the Region dark
			return nil, errors.Join(err, answer.Body.Close())
		}
		return answer, nil
	})
}

type doer func(*http.Request) (*http.Response, error)

// Do implements aws.HTTPClient.
func (d doer) Do(r *http.Request) (*http.Response, error) { return d(r) }

// hush keeps a call waiting for its end while its Region is dark.
func (w *world) hush(ctx context.Context, r dr.Region) error {
	if !w.inBlackout(r) {
		return nil
	}
	<-ctx.Done()
	return ctx.Err()
}
