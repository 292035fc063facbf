package terraform_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/internal/tftest"
	"github.com/lifeboat-dr/lifeboat/terraform"
)

var role = regexp.MustCompile(`(?i)primary|secondary|writer|standby|master|slave|active|passive`)

// identifiers are the attributes by which AWS and people know a thing.
var identifiers = []string{
	"name", "bucket", "identifier", "cluster_identifier", "global_cluster_identifier", "function_name", "alarm_name",
	"dashboard_name", "set_identifier", "statement_id", "target_id", "db_subnet_group_name", "reference_name", "tags_all", "tags",
}

// Fault 20 of the origin: aurora-primary is a lie after one failover.
func TestFault20NothingIsNamedAfterARole(t *testing.T) {
	d := deployed(t)
	for _, r := range d.resources {
		require.NotRegexp(t, role, r.Address, "address")
		require.NotRegexp(t, `-[0-9a-f]{8,}`, r.Address, "an address holds names from the configuration, not ids that AWS generated")
		for _, name := range identifiers {
			v := r.at(name)
			if v == nil || name == "name" && r.Type == "aws_db_parameter_group" {
				continue
			}
			text := fmt.Sprint(v)
			if r.Type == "aws_secretsmanager_secret" {
				text = strings.ReplaceAll(text, "master", "") // AWS's word for the user, not a Region's role
			}
			require.NotRegexp(t, role, text, "%s.%s", r.Address, name)
			require.NotRegexp(t, `20[2-9]\d-[01]\d-[0-3]\d|20[2-9]\d[01]\d[0-3]\dT`, text, "%s.%s holds a time", r.Address, name)
		}
	}
}

// Nothing is drawn or read from a clock: the same config gives the same plan for ever.
func TestModulesNeitherDrawNorLookAtTheClock(t *testing.T) {
	forbidden := regexp.MustCompile(`\b(timestamp|plantimestamp|uuid|bcrypt)\(|"random_|"time_|\b(name|bucket|identifier|alarm_name)_prefix\s*=`)
	require.NoError(t, fs.WalkDir(terraform.Modules, "modules", func(path string, e fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".tf") {
			data, err := fs.ReadFile(terraform.Modules, path)
			require.NoError(t, err)
			require.NotRegexp(t, forbidden, stripComments(string(data)), path)
		}
		return err
	}))
}

func stripComments(hcl string) string {
	return regexp.MustCompile(`(?m)^\s*#.*$`).ReplaceAllString(hcl, "")
}

// Fault 22 of the origin: the password stood in code and state. Here it is drawn by
// AWS, passed in memory and kept nowhere. The stand-in's passwords and secrets all
// hold the same word, and that word is nowhere to be found.
func TestFault22NoSecretIsKeptOrShown(t *testing.T) {
	const password = "secretsmanager-ephemeral"
	d := deployed(t)
	looked := 0
	require.NoError(t, filepath.WalkDir(d.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || strings.Contains(path, string(filepath.Separator)+".terraform"+string(filepath.Separator)) {
			return err
		}
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NotContains(t, string(data), password, path)
		looked++
		return nil
	}))
	require.Greater(t, looked, 50)
	require.NotContains(t, d.shown.String(), password, "progress")
	require.Contains(t, d.shown.String(), "aws_rds_cluster", "there was progress")
	require.FileExists(t, filepath.Join(d.dir, "arguments.log"))
	for _, u := range d.config.Units() {
		require.NotContains(t, tftest.Must(t, filepath.Join(d.dir, u.Name), "show", "-json"), password, "state of %s", u.Name)
	}
	// A new plan, because the saved ones are gone with their apply.
	for _, p := range d.plans(t) {
		require.NotContains(t, tftest.Must(t, filepath.Join(d.dir, p.Unit), "show", "-json", p.Path), password, "plan of %s", p.Unit)
	}
	// The word is the right one: it does reach the provider.
	for _, r := range d.of("aws_secretsmanager_secret_version") {
		require.Nil(t, r.at("secret_string"))
		require.Equal(t, true, r.at("secret_string_wo_version") != nil)
	}
}
