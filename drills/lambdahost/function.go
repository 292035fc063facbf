package lambdahost

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// Limits of AWS Lambda, from the API model and the quotas page.
const (
	maxTimeout      = 900 * time.Second
	maxMemory       = 10240
	maxEventAge     = 6 * time.Hour
	maxAttempts     = 3
	accountLimit    = 1000    // concurrent executions per account and Region, unless raised
	maxSyncPayload  = 6 << 20 // request and response
	maxAsyncPayload = 1 << 20
)

// Function is a deployed function.
type Function struct {
	// Name of the function, at most 64 of [A-Za-z0-9_-]. Required, unique in a
	// Host.
	Name string
	// Binary is the path of the executable that the package calls bootstrap.
	// Required. It runs in its folder, which it knows as LAMBDA_TASK_ROOT.
	Binary string
	// Env is what the function is configured with. The process inherits nothing
	// else from this one. Variables that Lambda reserves are refused, except for
	// the credentials of the role, which AWS would fill in.
	Env map[string]string
	// Region is the AWS Region that the function believes to be in. Required.
	Region string
	// Timeout of an invocation, up to 900 s. Default 3 s. AWS takes whole
	// seconds; drills may be faster.
	Timeout time.Duration
	// Memory in MB, 128 to 10240. Default 128. Only told to the process.
	Memory int
	// Concurrency is the reserved concurrency. Default none: the account's 1000.
	Concurrency int
	// Attempts is how often an asynchronous event is tried whose invocations
	// fail, 1 to 3. Default 3, AWS's first try and two retries.
	Attempts int
	// MaxAge is how long an asynchronous event may wait, up to 6 h. Default 6 h.
	// AWS takes 60 s at least; drills may be faster.
	MaxAge time.Duration
	// Extension says that the function carries an external extension as a layer:
	// its process gets SIGTERM, and 300 ms, although it registers none itself.
	Extension bool
}

var (
	functionName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	regionName   = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-\d$`)
)

func (f Function) withDefaults() Function {
	if f.Timeout == 0 {
		f.Timeout = 3 * time.Second
	}
	if f.Memory == 0 {
		f.Memory = 128
	}
	if f.Concurrency == 0 {
		f.Concurrency = accountLimit
	}
	if f.Attempts == 0 {
		f.Attempts = maxAttempts
	}
	if f.MaxAge == 0 {
		f.MaxAge = maxEventAge
	}
	return f
}

// Validate reports everything that is wrong with the function.
func (f Function) Validate() error {
	f = f.withDefaults()
	var errs []error
	bad := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("function %q: "+format, append([]any{f.Name}, args...)...))
	}
	if !functionName.MatchString(f.Name) {
		bad("Name must be 1 to 64 of [A-Za-z0-9_-]")
	}
	if info, err := os.Stat(f.Binary); err != nil {
		bad("Binary: %w: build the function first", err)
	} else if !info.Mode().IsRegular() || info.Mode()&0o111 == 0 {
		bad("Binary: %s is no executable file", f.Binary)
	}
	if !regionName.MatchString(f.Region) {
		bad("Region %q is no AWS Region's name, such as us-east-1", f.Region)
	}
	if f.Timeout < 0 || f.Timeout > maxTimeout {
		bad("Timeout %v is not within 0 and %v", f.Timeout, maxTimeout)
	}
	if f.Memory < 128 || f.Memory > maxMemory {
		bad("Memory %d MB is not within 128 and %d", f.Memory, maxMemory)
	}
	if f.Concurrency < 0 || f.Concurrency > accountLimit {
		bad("Concurrency %d is not within 0 and %d", f.Concurrency, accountLimit)
	}
	if f.Attempts < 0 || f.Attempts > maxAttempts {
		bad("Attempts %d is not within 1 and %d", f.Attempts, maxAttempts)
	}
	if f.MaxAge < 0 || f.MaxAge > maxEventAge {
		bad("MaxAge %v is not within 0 and %v", f.MaxAge, maxEventAge)
	}
	for key, value := range f.Env {
		switch {
		case key == "" || strings.ContainsAny(key, "=\x00") || strings.Contains(value, "\x00"):
			bad("Env: %q can't be a variable", key)
		case reserved(key):
			bad("Env: %s is set by Lambda", key)
		}
	}
	return errors.Join(errs...)
}

// reserved are the variables that AWS does not let a configuration set
// (configuration-envvars.html), without the role's credentials.
func reserved(key string) bool {
	switch key {
	case "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV", "_HANDLER", "_X_AMZN_TRACE_ID", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR":
		return true
	}
	return strings.HasPrefix(key, "AWS_LAMBDA_")
}

func (f Function) arn(account string) string {
	return fmt.Sprintf("arn:aws:lambda:%s:%s:function:%s", f.Region, account, f.Name)
}

// environ is the process's environment: what Lambda sets, then the
// configuration. TZ, PATH and LANG are Lambda's.
func (f Function) environ(runtimeAPI, stream string) []string {
	root, err := filepath.Abs(filepath.Dir(f.Binary))
	if err != nil {
		root = filepath.Dir(f.Binary)
	}
	env := []string{
		"AWS_LAMBDA_RUNTIME_API=" + runtimeAPI,
		"AWS_LAMBDA_FUNCTION_NAME=" + f.Name,
		"AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		fmt.Sprintf("AWS_LAMBDA_FUNCTION_MEMORY_SIZE=%d", f.Memory),
		"AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/" + f.Name,
		"AWS_LAMBDA_LOG_STREAM_NAME=" + stream,
		"AWS_REGION=" + f.Region,
		"AWS_DEFAULT_REGION=" + f.Region,
		"_HANDLER=bootstrap",
		"LAMBDA_TASK_ROOT=" + root,
		"LAMBDA_RUNTIME_DIR=/var/runtime",
		"TZ=:UTC",
		"LANG=en_US.UTF-8",
		"PATH=/usr/local/bin:/usr/bin:/bin",
	}
	for key, value := range f.Env {
		env = append(env, key+"="+value) // the last one counts, see exec.Cmd.Env
	}
	return env
}
