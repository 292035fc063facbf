package tf_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/internal/tftest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/infra"
	"github.com/lifeboat-dr/lifeboat/pkg/infra/tf"
)

// find returns the real terraform, or skips.
func find(t *testing.T) tf.Binary {
	t.Helper()
	b, err := tf.Find(t.Context(), tf.FindOptions{ExecPath: tftest.Terraform(t)})
	require.NoError(t, err)
	return b
}

// environ has nothing of this machine's terraform settings and credentials.
func environ(more ...string) []string {
	return append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "TMPDIR=" + os.TempDir(), "AWS_EC2_METADATA_DISABLED=true",
	}, more...)
}

// offline has the stand-in for the AWS provider, or skips.
func offline(t *testing.T) []string {
	t.Helper()
	return environ("TF_CLI_CONFIG_FILE=" + tftest.Provider(t))
}

func write(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(data)
}

var (
	stateUnit = infra.Unit{Name: "state", Kind: infra.KindState, Region: "us-east-1"}
	global    = infra.Unit{Name: "global", Kind: infra.KindGlobal, Region: "us-east-1"}
	east      = infra.Unit{Name: "region-us-east-1", Kind: infra.KindRegion, Region: "us-east-1", Needs: []string{"global"}}
	west      = infra.Unit{Name: "region-us-west-2", Kind: infra.KindRegion, Region: "us-west-2", Needs: []string{"global"}}
	link      = infra.Unit{Name: "link", Kind: infra.KindLink, Region: "us-east-1", Regions: []dr.Region{"us-east-1", "us-west-2"}, Needs: []string{"region-us-east-1", "region-us-west-2"}}
)

// estate is a folder of units without a provider: global, two Regions, a link.
func estate(t *testing.T) (dir string, units []infra.Unit) {
	t.Helper()
	dir = t.TempDir()
	write(t, dir+"/global/main.tf", `
variable "password" {
  type      = string
  sensitive = true
  default   = "`+secret+`"
}
resource "terraform_data" "cluster" {
  input = { id = "lifeboat-x", password = var.password }
}
output "cluster_id" {
  value = "lifeboat-x"
}
output "key_arns" {
  value = { us-east-1 = "arn:1", us-west-2 = "arn:2" }
}
output "password" {
  value     = var.password
  sensitive = true
}
`)
	for _, u := range []infra.Unit{east, west} {
		write(t, filepath.Join(dir, u.Name, "main.tf"), `
variable "global" {
  type = object({ cluster_id = string, key_arns = map(string) })
}
resource "terraform_data" "member" {
  input = "${var.global.cluster_id}/${var.global.key_arns["`+u.Region.String()+`"]}"
}
output "member" {
  value = terraform_data.member.output
}
`)
	}
	write(t, dir+"/link/main.tf", `
variable "region_us_east_1" {
  type = object({ member = string })
}
variable "region_us_west_2" {
  type = object({ member = string })
}
resource "terraform_data" "link" {
  input = "${var.region_us_east_1.member} - ${var.region_us_west_2.member}"
}
`)
	return dir, []infra.Unit{global, east, west, link}
}

func open(t *testing.T, o tf.Options) *tf.Deployment {
	t.Helper()
	if o.Environ == nil {
		o.Environ = environ()
	}
	d, err := tf.Open(o)
	require.NoError(t, err)
	return d
}

// events records what a Deployment tells.
type events struct {
	mu   sync.Mutex
	all  []string
	wake chan struct{} // closed when wait is met
	wait string
}

func (e *events) Event(unit string, event tf.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	text := fmt.Sprintf("%s %s %+v", unit, strings.TrimPrefix(fmt.Sprintf("%T", event), "tf."), event)
	e.all = append(e.all, text)
	if e.wake != nil && strings.Contains(text, e.wait) {
		close(e.wake)
		e.wake = nil
	}
}

// on returns a channel that closes at the first event that contains text.
func (e *events) on(text string) <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.wait, e.wake = text, make(chan struct{})
	return e.wake
}

func (e *events) String() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return strings.Join(e.all, "\n")
}

func count(s, part string) int { return strings.Count(s, part) }
