package tf

import (
	"strings"

	"github.com/hashicorp/terraform-exec/tfexec"
)

// CleanEnv returns the variables that terraform gets from an environment such as
// [os.Environ]. What changes a plan without a trace in its files is dropped:
// TF_VAR_*, TF_CLI_ARGS*, TF_WORKSPACE, TF_REATTACH_PROVIDERS, TF_DATA_DIR, and
// TF_LOG*, which could write secrets into a file. PATH, HOME, AWS_*, proxies,
// TF_CLI_CONFIG_FILE and TF_PLUGIN_CACHE_DIR pass. Credentials reach terraform only
// this way, never as an argument. CHECKPOINT_DISABLE is set: a recovery must not
// wait for HashiCorp's update check.
func CleanEnv(environ []string) map[string]string {
	env := map[string]string{}
	for _, e := range environ {
		if key, value, ok := strings.Cut(e, "="); ok && key != "" {
			env[key] = value
		}
	}
	for key := range env {
		// terraform-exec's list lacks some: TF_LOG_SDK, TF_LOG_PROVIDER_AWS….
		if strings.HasPrefix(key, "TF_LOG") || strings.HasPrefix(key, "TF_ACC") || strings.HasPrefix(key, "TF_CLI_ARGS") {
			delete(env, key)
		}
	}
	delete(env, "TF_DATA_DIR") // one folder for all units would mix up their backends
	env["CHECKPOINT_DISABLE"] = "1"
	return tfexec.CleanEnv(env)
}

// flatten is the form that os/exec wants.
func flatten(env map[string]string) []string {
	out := make([]string, 0, len(env))
	for k, v := range env {
		out = append(out, k+"="+v)
	}
	return out
}
