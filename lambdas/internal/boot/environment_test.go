package boot_test

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/lambdas/internal/boot"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// row is a variable's first line in a table of a Go comment.
var row = regexp.MustCompile(`(?m)^//\t([A-Z][A-Z_]+(?:_<[A-Z]+>)*)\s`)

func rows(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	var out []string
	for _, m := range row.FindAllStringSubmatch(string(text), -1) {
		out = append(out, m[1])
	}
	slices.Sort(out)
	return out
}

var (
	named = regexp.MustCompile(`^LIFEBOAT_ENDPOINT_URL_(RDS|DYNAMODB|CLOUDWATCH|SNS|SECRETS_MANAGER|LAMBDA)_US_(EAST|WEST)_[12]$`)
	own   = regexp.MustCompile(`^AWS_ENDPOINT_URL_(RDS|DYNAMODB|CLOUDWATCH|SNS|SECRETS_MANAGER|LAMBDA)$`)
)

// TestTheDocumentedEnvironmentIsTheOneThatIsRead holds the tables of doc.go and drill.go
// against what every function reads.
func TestTheDocumentedEnvironmentIsTheOneThatIsRead(t *testing.T) {
	read := map[string]bool{}
	for f, regions := range map[boot.Function][]dr.Region{boot.Monitor: {west, witness}, boot.Trigger: {west}} {
		for _, r := range regions {
			env := environment(r, f)
			_, err := boot.Parse(f, func(key string) string {
				switch {
				case named.MatchString(key):
					key = "LIFEBOAT_ENDPOINT_URL_<SERVICE>_<REGION>"
				case own.MatchString(key):
					key = "AWS_ENDPOINT_URL_<SERVICE>"
				}
				read[key] = true
				return env[key]
			})
			require.NoError(t, err, "a deployment's environment needs no variable of a drill")
		}
	}
	drills := slices.Sorted(slices.Values(boot.DrillVariables))
	require.Equal(t, drills, rows(t, "drill.go"), "the table of drill.go")
	production := rows(t, "doc.go")
	for _, v := range drills {
		require.NotContains(t, production, v, "a drill's variable in the table of the deployed environment")
	}
	require.Equal(t, slices.Sorted(maps.Keys(read)), slices.Sorted(slices.Values(slices.Concat(production, drills))))
}

// TestTheREADMEDocumentsWhatTerraformSets holds lambdas/README.md against module failover.
func TestTheREADMEDocumentsWhatTerraformSets(t *testing.T) {
	variables := func(file, form string) []string {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		set := map[string]bool{}
		for _, m := range regexp.MustCompile(form).FindAllStringSubmatch(string(text), -1) {
			set[m[1]] = true
		}
		return slices.Sorted(maps.Keys(set))
	}
	require.Equal(t, variables("../../../terraform/modules/failover/main.tf", `\b(LIFEBOAT_[A-Z_]+)\s*=`), variables("../../README.md", "(?m)^\\| `(LIFEBOAT_[A-Z_]+)`"))
}
