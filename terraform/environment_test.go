package terraform_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// understood is what a function made of its environment (lambdas/internal/environment).
type understood struct {
	Region, Endpoint, User, Trigger, Certificates string
	Addresses, Readers, Clusters                  map[string]string
}

// reader builds the program that reads an environment as the functions do.
func reader(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "environment")
	out, err := exec.Command("go", "build", "-o", path, "../lambdas/internal/environment").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return path
}

// read puts an environment to the code of a function.
func read(t *testing.T, program, function string, env map[string]string) (understood, error) {
	t.Helper()
	data, err := json.Marshal(env)
	require.NoError(t, err)
	var out, errs bytes.Buffer
	cmd := exec.Command(program, function)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(data), &out, &errs
	if err := cmd.Run(); err != nil {
		return understood{}, fmt.Errorf("%w: %s", err, errs.String())
	}
	var u understood
	require.NoError(t, json.Unmarshal(out.Bytes(), &u))
	return u, nil
}

// environments returns what each function of the deployment is started with, by unit and
// function: what Terraform sets, and what Lambda adds.
func (d *deployment) environments() map[[2]string]map[string]string {
	out := map[[2]string]map[string]string{}
	for _, f := range d.of("aws_lambda_function") {
		name := fmt.Sprint(f.at("function_name"))
		env := map[string]string{
			"AWS_LAMBDA_FUNCTION_NAME": name, "LAMBDA_TASK_ROOT": "/var/task",
			"AWS_ACCESS_KEY_ID": "ASIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "none", "AWS_SESSION_TOKEN": "none",
		}
		for _, u := range d.config.Units() {
			if u.Name == f.Unit {
				env["AWS_REGION"] = u.Region.String()
			}
		}
		variables, _ := f.at("environment.0.variables").(map[string]any)
		for key, value := range variables {
			env[key] = fmt.Sprint(value)
		}
		out[[2]string{f.Unit, strings.TrimPrefix(name, d.config.Name()+"-")}] = env
	}
	return out
}

// The functions start with what Terraform gives them, and understand by it what
// Terraform has made.
func TestFunctionsStartWithWhatIsDeployed(t *testing.T) {
	d := deployed(t)
	program := reader(t)
	all := d.environments()
	require.Len(t, all, 5, "two functions in two Regions, and the witness")
	clusters := map[string]string{}
	for _, c := range d.of("aws_rds_cluster") {
		clusters[strings.TrimPrefix(c.Unit, "region-")] = fmt.Sprint(c.at("cluster_identifier"))
	}
	for which, env := range all {
		unit, function := which[0], which[1]
		u, err := read(t, program, function, env)
		require.NoError(t, err, "%s in %s does not start", function, unit)
		require.Equal(t, clusters, u.Clusters, "%s in %s", function, unit)
		if strings.HasPrefix(unit, "witness-") {
			require.Empty(t, u.Addresses)
			require.Empty(t, u.Readers)
			continue
		}
		reported := fmt.Sprint(d.in(unit, "aws_rds_cluster")[0].at("reader_endpoint"))
		require.Equal(t, map[string]string{u.Region: strings.ReplaceAll(reported, ".cluster-ro-", ".cluster-") + ":3306"}, u.Addresses,
			"%s in %s: the local member's, and nothing of the other Region's state", function, unit)
		require.Equal(t, map[string]string{u.Region: reported + ":3306"}, u.Readers, "%s in %s", function, unit)
		require.Equal(t, fmt.Sprint(one(t, d.in(unit, "aws_lambda_function"), "failover-trigger").at("function_name")), u.Trigger)
		require.Equal(t, "/var/task/rds-ca.pem", u.Certificates, "where the packages carry it")
		if function == "failover-trigger" {
			require.Equal(t, fmt.Sprint(d.of("aws_rds_global_cluster")[0].at("endpoint"))+":3306", u.Endpoint)
		}
		// The user's name goes into the secret, which no state shows.
		text, err := os.ReadFile("modules/database/global/secret.tf")
		require.NoError(t, err)
		require.Regexp(t, regexp.MustCompile(`functions_username = "`+regexp.QuoteMeta(u.User)+`"`), string(text))
	}
}

// A variable that is forgotten is missed at the start, and by its name.
func TestFunctionsDoNotStartWithLess(t *testing.T) {
	d := deployed(t)
	program := reader(t)
	needed := map[string]bool{}
	for which, env := range d.environments() {
		for key := range env {
			less := maps.Clone(env)
			delete(less, key)
			if _, err := read(t, program, which[1], less); err != nil {
				require.ErrorContains(t, err, key)
				needed[which[1]+" "+key] = true
			}
		}
	}
	for _, key := range []string{
		"health-monitor LIFEBOAT_DATABASES", "failover-trigger LIFEBOAT_DATABASES",
		"health-monitor LIFEBOAT_READERS", "failover-trigger LIFEBOAT_READERS", "failover-trigger LIFEBOAT_ENDPOINT",
		"health-monitor LIFEBOAT_SECRET_ARN", "failover-trigger LIFEBOAT_SECRET_ARN", "health-monitor LIFEBOAT_ADMIN_SECRET_ARN",
		"health-monitor LIFEBOAT_LEASE_TABLE", "health-monitor LIFEBOAT_TOPIC_ARN",
	} {
		require.True(t, needed[key], "%s could be missing and the function would start", key)
	}
}
