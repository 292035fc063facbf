// Command environment says whether a function would start with an environment. On
// standard input is a JSON object of variables, the argument is the function, such as
// health-monitor; on standard output comes what the function understood, as JSON. It
// makes no request. The tests of the Terraform modules, which can't import package boot, put
// what they deploy to it.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/lifeboat-dr/lifeboat/lambdas/internal/boot"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// understood is what Terraform must agree with: it makes the things behind these names.
type understood struct {
	Region       string               `json:"region"`
	Addresses    map[dr.Region]string `json:"addresses"`
	Readers      map[dr.Region]string `json:"readers"`
	Endpoint     string               `json:"endpoint"`
	User         string               `json:"user"`
	Trigger      string               `json:"trigger"`
	Clusters     map[dr.Region]string `json:"clusters"`
	Certificates string               `json:"certificates"`
}

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string, in io.Reader, out io.Writer) error {
	if len(args) != 1 {
		return fmt.Errorf("environment: name one function: %s or %s", boot.Monitor, boot.Trigger)
	}
	var env map[string]string
	if err := json.NewDecoder(in).Decode(&env); err != nil {
		return fmt.Errorf("environment: read the variables: %w: give a JSON object of strings", err)
	}
	s, err := boot.Parse(boot.Function(args[0]), func(key string) string { return env[key] })
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(understood{
		Region: s.Region.String(), Addresses: s.Database.Addresses, Readers: s.Database.Readers, Endpoint: s.Database.Endpoint,
		User: s.Database.User, Trigger: s.Trigger, Clusters: s.Clusters, Certificates: s.Database.CA,
	})
}
