package deptest_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/internal/deptest"
)

const sdk = "github.com/aws/aws-sdk-go-v2/service"

// docker are the modules that talk to an engine.
var docker = []string{"github.com/docker", "github.com/moby", "github.com/testcontainers"}

// laws are all import laws, each with its reason.
var laws = []deptest.Law{
	{Under: "pkg/dr", Only: true, Forbid: []string{deptest.StdOnly}, Why: "dr is the vocabulary: people embed it in anything"},
	{Under: "pkg/dr/lease", Exact: true, Forbid: []string{deptest.StdOnly}, Allow: []string{"pkg/dr"}, Why: "a lease is a value"},
	{Under: "pkg/dr/failover/guard", Exact: true, Forbid: []string{deptest.StdOnly}, Allow: []string{"pkg/dr", "pkg/dr/lease"}, Why: "what the guard decides is pure, so that the model can search it"},
	{Under: "pkg/dr/health", Forbid: []string{deptest.StdOnly}, Allow: []string{"pkg/dr"}, Why: "health decides, standard library only"},
	{Under: "pkg/dr/health", Forbid: []string{"pkg/dr/failover"}, Why: "the order is failover -> health -> dr"},
	{Under: "pkg/dr/failover", Forbid: []string{deptest.StdOnly}, Allow: []string{"pkg/dr"}, Why: "failover decides, standard library only"},

	{Under: "pkg/dr/aurora", Direct: true, Forbid: []string{sdk, "pkg/dr/dynamo", "pkg/dr/cloudwatch", "pkg/dr/notify", "pkg/dr/probe"}, Allow: []string{sdk + "/rds"}, Why: "an adapter knows its own service and no other adapter"},
	{Under: "pkg/dr/dynamo", Direct: true, Forbid: []string{sdk, "pkg/dr/aurora", "pkg/dr/cloudwatch", "pkg/dr/notify", "pkg/dr/probe"}, Allow: []string{sdk + "/dynamodb"}, Why: "an adapter knows its own service and no other adapter"},
	{Under: "pkg/dr/cloudwatch", Direct: true, Forbid: []string{sdk, "pkg/dr/aurora", "pkg/dr/dynamo", "pkg/dr/notify", "pkg/dr/probe"}, Allow: []string{sdk + "/cloudwatch"}, Why: "an adapter knows its own service and no other adapter"},
	{Under: "pkg/dr/notify", Direct: true, Forbid: []string{sdk, "pkg/dr/aurora", "pkg/dr/dynamo", "pkg/dr/cloudwatch", "pkg/dr/probe"}, Allow: []string{sdk + "/sns"}, Why: "an adapter knows its own service and no other adapter"},
	{Under: "pkg/dr/probe", Forbid: []string{sdk, "pkg/dr/aurora", "pkg/dr/dynamo", "pkg/dr/cloudwatch", "pkg/dr/notify"}, Why: "probers need no SDK"},

	{Under: "pkg", Forbid: []string{"drills", "examples", "lambdas"}, Why: "the library knows nothing of the programs that use it"},
	{Under: "pkg/dr", Forbid: []string{"pkg/infra"}, Why: "infrastructure knows policy, policy never knows infrastructure"},
	{Under: "lambdas", Forbid: []string{"pkg/infra", "drills"}, Why: "a Lambda carries neither terraform nor faults"},
	{Under: "internal", Forbid: []string{"drills"}, Why: "only drills and examples import drills"},

	{Under: "pkg/infra", Only: true, Forbid: []string{deptest.StdOnly}, Allow: []string{"pkg/dr", "go.yaml.in/yaml"}, Why: "a Config is read and judged without terraform"},
	{Under: "pkg/infra/render", Forbid: []string{"github.com/hashicorp/terraform-exec", "github.com/hashicorp/hc-install", "pkg/infra/tf", sdk}, Why: "rendering runs nothing"},
	{Under: "pkg/infra/tf", Forbid: []string{"pkg/infra/render", "terraform", sdk}, Why: "tf runs roots from any source, not only rendered ones"},
	{Under: "pkg", Except: []string{"pkg/infra/render"}, Direct: true, Forbid: []string{"github.com/hashicorp/hcl"}, Why: "HCL is written in pkg/infra/render alone"},
	{Under: "", Except: []string{"pkg/infra/tf"}, Direct: true, Forbid: []string{"github.com/hashicorp/terraform-exec", "github.com/hashicorp/hc-install"}, Why: "terraform is run in pkg/infra/tf alone"},

	{Under: "", Except: []string{"drills/target/docker"}, Direct: true, Forbid: docker, Why: "docker is for drills/target/docker only"},
	{Under: "pkg", Forbid: docker, Why: "a program that imports the library compiles no docker"},
	{Under: "drills/measure", Forbid: []string{"pkg/dr/failover", "drills/drill", "drills/cloud"}, Why: "a saved history is measured again without the system that made it"},
	{Under: "drills/cloud", Forbid: []string{"pkg/dr/failover", "pkg/dr/aurora", "pkg/dr/dynamo"}, Why: "the emulated cloud must not know the code that is drilled on it"},
}

func TestImportLaws(t *testing.T) {
	packages, err := deptest.Load("../..")
	require.NoError(t, err)
	for _, law := range laws {
		t.Run(law.Under+"/"+law.Why, func(t *testing.T) {
			require.Empty(t, law.Broken(packages))
		})
	}
}

// A law that governs nothing, or that can't be broken, is a law that has rotted.
func TestLawsBite(t *testing.T) {
	law := deptest.Law{Under: "pkg/dr/health", Forbid: []string{deptest.StdOnly}, Allow: []string{"pkg/dr"}, Why: "because"}
	guilty := []deptest.Package{
		{ImportPath: deptest.Module + "/pkg/dr/health", Deps: []string{"context", deptest.Module + "/pkg/dr", "github.com/aws/smithy-go"}},
		{ImportPath: deptest.Module + "/pkg/dr/healthy", Deps: []string{"github.com/aws/smithy-go"}},
	}
	require.Equal(t, []string{"pkg/dr/health is compiled with github.com/aws/smithy-go: because"}, law.Broken(guilty))

	exact := deptest.Law{Under: "pkg/dr/health", Exact: true, Forbid: []string{deptest.StdOnly}, Allow: []string{"pkg/dr"}, Why: "because"}
	guilty[0].Deps = []string{"context", deptest.Module + "/pkg/dr", deptest.Module + "/pkg/dr/failover"}
	require.Empty(t, law.Broken(guilty))
	require.Equal(t, []string{"pkg/dr/health is compiled with " + deptest.Module + "/pkg/dr/failover: because"}, exact.Broken(guilty))

	packages, err := deptest.Load("../..")
	require.NoError(t, err)
	for _, path := range []string{"pkg/dr", "pkg/dr/lease", "pkg/dr/health", "pkg/dr/failover", "pkg/dr/failover/guard", "pkg/infra", "pkg/infra/render", "pkg/infra/tf"} {
		require.True(t, slices.ContainsFunc(packages, func(p deptest.Package) bool { return p.ImportPath == deptest.Module+"/"+path }), "the laws govern %s, which is not there", path)
	}
}
