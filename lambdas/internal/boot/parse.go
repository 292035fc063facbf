package boot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/aurora"
)

// The forms of names, as AWS has them and as the Terraform modules check them.
var (
	regionForm   = regexp.MustCompile(`^[a-z]{2}(-[a-z]{1,12}){1,3}-[1-9][0-9]?$`)
	clusterForm  = regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`)
	tableForm    = regexp.MustCompile(`^[a-zA-Z0-9_.-]{3,255}$`)
	functionForm = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)
	userForm     = regexp.MustCompile(`^[A-Za-z0-9_]{1,32}$`)
	schemaForm   = regexp.MustCompile(`^[A-Za-z0-9_]{1,64}$`)
)

// Parse reads the environment of a function, or reports everything that is wrong with
// it at once. It is pure: it opens no file and makes no request. No error holds what a variable
// holds, because that may be a password that was put into the wrong one: it names the
// variable, the entry, and what is expected.
func Parse(f Function, getenv func(string) string) (Settings, error) {
	e := &env{getenv: getenv}
	s := Settings{Function: f}
	s.Region = e.region("AWS_REGION", e.need("AWS_REGION"))
	s.Topology = e.topology()
	s.Policy = e.policy(s.Topology)
	s.Table = e.form("LIFEBOAT_LEASE_TABLE", e.need("LIFEBOAT_LEASE_TABLE"), tableForm, "a DynamoDB table's name")
	s.Topic = e.arn("LIFEBOAT_TOPIC_ARN", e.need("LIFEBOAT_TOPIC_ARN"), "sns", s.Region)
	s.Credentials = e.credentials()
	s.urls = e.urls(s.Region, s.Topology.Vantages())
	s.Clusters = e.clusters(s.Topology)

	member := s.Member()
	switch {
	case f != Monitor && f != Trigger:
		e.refuse("function %q is neither %q nor %q", f, Monitor, Trigger)
	case s.Region == "" || len(s.Topology.Members) == 0: // said already
	case !member && s.Region != s.Topology.Witness:
		e.refuse("AWS_REGION %s is neither a member (%v) nor the witness (%q): deploy the function where LIFEBOAT_MEMBERS and LIFEBOAT_WITNESS say", s.Region, s.Topology.Members, s.Topology.Witness)
	case !member && f == Trigger:
		e.refuse("the trigger stands in the witness %s, where there is no member to promote: deploy it in %v", s.Region, s.Topology.Members)
	}
	s.Database = e.database(f, s)
	s.Secret, s.Admin = e.secrets(f, s)
	if !member {
		return s, e.err()
	}
	s.Name = e.form("AWS_LAMBDA_FUNCTION_NAME", e.need("AWS_LAMBDA_FUNCTION_NAME"), functionForm, "a function's name")
	s.Trigger = e.trigger(f, s.Name)
	return s, e.err()
}

// env reads variables and collects what is wrong with them.
type env struct {
	getenv func(string) string
	errs   []error
}

func (e *env) refuse(format string, args ...any) {
	e.errs = append(e.errs, fmt.Errorf("boot: "+format, args...))
}

func (e *env) err() error { return errors.Join(e.errs...) }

// need returns a variable that must be there.
func (e *env) need(key string) string {
	value := e.getenv(key)
	if value == "" {
		e.refuse("%s is not set", key)
	}
	return value
}

// or returns a variable or its default.
func (e *env) or(key, otherwise string) string {
	if value := e.getenv(key); value != "" {
		return value
	}
	return otherwise
}

// form refuses a value that doesn't look as it should, and returns "" for it. A missing
// one has been refused.
func (e *env) form(key, value string, form *regexp.Regexp, what string) string {
	if value != "" && !form.MatchString(value) {
		e.refuse("%s is not %s (it has %d characters)", key, what, len(value))
		return ""
	}
	return value
}

func (e *env) region(key, value string) dr.Region {
	return dr.Region(e.form(key, value, regionForm, "a Region's code, such as us-east-1"))
}

func (e *env) topology() dr.Topology {
	t := dr.Topology{GlobalCluster: e.form("LIFEBOAT_GLOBAL_CLUSTER", e.need("LIFEBOAT_GLOBAL_CLUSTER"), clusterForm, "an RDS identifier")}
	before := len(e.errs)
	for at, m := range strings.Split(e.need("LIFEBOAT_MEMBERS"), ",") {
		if m = strings.TrimSpace(m); m != "" {
			if r := e.region(entry("LIFEBOAT_MEMBERS", at), m); r != "" {
				t.Members = append(t.Members, r)
			}
		}
	}
	t.Witness = e.region("LIFEBOAT_WITNESS", e.getenv("LIFEBOAT_WITNESS"))
	if err := t.Validate(); err != nil && t.GlobalCluster != "" && len(e.errs) == before {
		e.errs = append(e.errs, fmt.Errorf("boot: LIFEBOAT_MEMBERS, LIFEBOAT_WITNESS: %w", err))
	}
	return t
}

func (e *env) policy(t dr.Topology) dr.Policy {
	var p dr.Policy
	given := []byte(e.or("LIFEBOAT_POLICY", "{}"))
	if err := json.Unmarshal(given, &p); err != nil {
		e.refuse("LIFEBOAT_POLICY %s", policyProblem(given, err))
		return dr.Policy{}
	}
	judge := p.Validate
	if len(t.Members) > 0 { // what is wrong with the topology is said already
		judge = func() error { return p.ValidateFor(t) }
	}
	if err := judge(); err != nil {
		e.refuse("LIFEBOAT_POLICY: %s", without(given, err.Error()))
	}
	return p
}

// credentials are closed over, so that no code prints them with the settings.
func (e *env) credentials() aws.CredentialsProvider {
	c := aws.Credentials{
		AccessKeyID: e.need("AWS_ACCESS_KEY_ID"), SecretAccessKey: e.need("AWS_SECRET_ACCESS_KEY"),
		SessionToken: e.getenv("AWS_SESSION_TOKEN"), Source: "environment",
	}
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return c, nil })
}

func (e *env) clusters(t dr.Topology) map[dr.Region]string {
	out := make(map[dr.Region]string)
	for _, m := range t.Members {
		out[m] = t.GlobalCluster + "-" + m.String()
	}
	for r, id := range e.byRegion("LIFEBOAT_CLUSTERS", t) {
		out[r] = e.form(id.key, id.value, clusterForm, "an RDS identifier")
	}
	return out
}

// secrets reads which logins a function has.
func (e *env) secrets(f Function, s Settings) (login, admin string) {
	const loginKey, adminKey = "LIFEBOAT_SECRET_ARN", "LIFEBOAT_ADMIN_SECRET_ARN"
	if !s.Member() {
		for _, key := range []string{loginKey, adminKey} {
			if e.getenv(key) != "" && s.Region == s.Topology.Witness {
				e.refuse("%s is set in the witness %s, which asks no SQL: leave it out", key, s.Region)
			}
		}
		return "", ""
	}
	login = e.arn(loginKey, e.need(loginKey), "secretsmanager", s.Region)
	if f == Trigger {
		if e.getenv(adminKey) != "" {
			e.refuse("%s is set for the trigger, which neither fences nor opens a server: leave it out", adminKey)
		}
		return login, ""
	}
	if admin = e.arn(adminKey, e.need(adminKey), "secretsmanager", s.Region); admin != "" && admin == login {
		e.refuse("%s and %s name the same secret: an account that fences isn't bound by a fence, so heartbeats need another one", loginKey, adminKey)
	}
	return login, admin
}

// trigger derives the trigger's name from the monitor's, as module failover names them.
func (e *env) trigger(f Function, own string) string {
	if f == Trigger {
		return own
	}
	name := e.getenv("LIFEBOAT_TRIGGER")
	if stem, ok := strings.CutSuffix(own, "-"+string(Monitor)); ok && name == "" {
		name = stem + "-" + string(Trigger)
	}
	if name == "" && own != "" {
		e.refuse("LIFEBOAT_TRIGGER is not set, and AWS_LAMBDA_FUNCTION_NAME doesn't end in -%s: name the function that moves the writer", Monitor)
	}
	return e.form("LIFEBOAT_TRIGGER", name, functionForm, "a function's name")
}

// database reads how the servers are reached.
func (e *env) database(f Function, s Settings) Database {
	t := s.Topology
	db := Database{
		Addresses: make(map[dr.Region]string), Readers: make(map[dr.Region]string), Servers: make(map[string]dr.Region),
		User:   e.form("LIFEBOAT_DATABASE_USER", e.or("LIFEBOAT_DATABASE_USER", "lifeboat"), userForm, "a user: 1 to 32 letters, digits and underscores"),
		Schema: e.form("LIFEBOAT_SCHEMA", e.or("LIFEBOAT_SCHEMA", "lifeboat"), schemaForm, "a schema: 1 to 64 letters, digits and underscores"),
		CA:     e.or("LIFEBOAT_DATABASE_CA", filepath.Join(e.or("LAMBDA_TASK_ROOT", "/var/task"), "rds-ca.pem")),
	}
	switch dialect := e.or("LIFEBOAT_DIALECT", "aurora"); dialect {
	case "aurora":
	case "mysql":
		db.Dialect = aurora.DialectMySQL
	default:
		e.refuse("LIFEBOAT_DIALECT is unknown: use aurora or mysql")
	}
	if db.CA == "none" {
		if db.CA = ""; db.Dialect == aurora.DialectAurora {
			e.refuse("LIFEBOAT_DATABASE_CA is none, but Aurora's servers demand TLS: name the PEM file of RDS's authorities")
		}
	}
	for r, address := range e.byRegion("LIFEBOAT_DATABASES", t) {
		db.Addresses[r] = e.address(address.key, address.value, "3306")
	}
	if s.Member() && db.Addresses[s.Region] == "" {
		e.refuse("LIFEBOAT_DATABASES names no address for %[1]s, the local Region: give %[1]s=host:port of its cluster endpoint", s.Region)
	}
	for r, address := range e.byRegion("LIFEBOAT_READERS", t) {
		if db.Addresses[r] == "" {
			e.refuse("LIFEBOAT_READERS names %[1]s, which LIFEBOAT_DATABASES doesn't: name its cluster endpoint too, or neither", r)
		}
		db.Readers[r] = e.address(address.key, address.value, "3306")
	}
	if s.Member() && db.Readers[s.Region] == "" && db.Dialect == aurora.DialectAurora {
		e.refuse("LIFEBOAT_READERS names no address for %[1]s, the local Region: give %[1]s=host:port of its reader endpoint, because the cluster endpoint of a secondary may not exist", s.Region)
	}
	if endpoint := e.getenv("LIFEBOAT_ENDPOINT"); endpoint != "" {
		db.Endpoint = e.address("LIFEBOAT_ENDPOINT", endpoint, "3306")
	} else if f == Trigger {
		e.refuse("LIFEBOAT_ENDPOINT is not set: give host:port of the global writer endpoint, through which a move is proven")
	}
	if dns := e.getenv("LIFEBOAT_DNS"); dns != "" {
		db.DNS = e.address("LIFEBOAT_DNS", dns, "53")
	}
	for _, p := range e.pairs("LIFEBOAT_SERVERS") {
		switch at := e.region(p.key, p.value); {
		case at == "": // said already
		case t.Peer(at) == "":
			e.refuse("%s names %s, which is no member", p.key, at)
		default:
			db.Servers[p.name] = at
		}
	}
	if f == Trigger && db.Dialect == aurora.DialectMySQL && len(db.Servers) == 0 {
		e.refuse("LIFEBOAT_SERVERS is not set: with dialect mysql a server_id tells no Region")
	}
	return db
}
