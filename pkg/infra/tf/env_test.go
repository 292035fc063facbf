package tf_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/infra/tf"
)

// FuzzCleanEnv hands any environment on, lines of NAME=VALUE. Nothing of it changes a
// plan without a trace or writes secrets into a log; what else has a name passes
// unchanged, the last of a name.
func FuzzCleanEnv(f *testing.F) {
	for _, lines := range []string{
		"PATH=/bin\nHOME=/h\nAWS_SESSION_TOKEN=t\nHTTPS_PROXY=x\nTF_CLI_CONFIG_FILE=rc\nTF_PLUGIN_CACHE_DIR=c", "TF_VAR_x=1", "TF_CLI_ARGS=-destroy", "TF_CLI_ARGS_plan=-destroy", "TF_WORKSPACE=w",
		"TF_REATTACH_PROVIDERS={}", "TF_DATA_DIR=d", "TF_LOG=trace", "TF_LOG_SDK=x", "TF_LOG_PROVIDER_AWS=x", "TF_LOG_PATH=/tmp/x", "TF_INPUT=1", "CHECKPOINT_DISABLE=", "=odd", "odd", "", "A=1\nA=2", "A==", "TF_ACC=1", "TF_APPEND_USER_AGENT=x", "TF_DISABLE_PLUGIN_TLS=1",
	} {
		f.Add(lines)
	}
	f.Fuzz(func(t *testing.T, lines string) {
		given := strings.Split(lines, "\n")
		got := tf.CleanEnv(given)
		require.Equal(t, "1", got["CHECKPOINT_DISABLE"])
		want := map[string]string{}
		for _, e := range given {
			if name, value, ok := strings.Cut(e, "="); ok && name != "" {
				want[name] = value
			}
		}
		for name, value := range got {
			for _, prefix := range []string{"TF_VAR_", "TF_LOG", "TF_CLI_ARGS"} {
				require.False(t, strings.HasPrefix(name, prefix), name)
			}
			require.NotContains(t, []string{"TF_WORKSPACE", "TF_REATTACH_PROVIDERS", "TF_DATA_DIR", ""}, name)
			if name != "CHECKPOINT_DISABLE" {
				require.Equal(t, want[name], value)
			}
		}
		for name, value := range want {
			if !strings.HasPrefix(name, "TF_") && name != "CHECKPOINT_DISABLE" {
				require.Contains(t, got, name)
				require.Equal(t, value, got[name])
			}
		}
	})
}
