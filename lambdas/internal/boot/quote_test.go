package boot_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/lambdas/internal/boot"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// hush stands for a password that was put into the wrong variable. It contains nothing
// that an error could say by itself.
const hush = "Zq7Xk9-Lw2Vb4_Pm3"

// variables are all that a function reads.
var variables = []string{
	"AWS_REGION", "AWS_LAMBDA_FUNCTION_NAME", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
	"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_RDS", "AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_CLOUDWATCH", "AWS_ENDPOINT_URL_SNS",
	"AWS_ENDPOINT_URL_SECRETS_MANAGER", "AWS_ENDPOINT_URL_LAMBDA", "LIFEBOAT_ENDPOINT_URL_RDS_US_EAST_1",
	"LIFEBOAT_GLOBAL_CLUSTER", "LIFEBOAT_MEMBERS", "LIFEBOAT_WITNESS", "LIFEBOAT_LEASE_TABLE", "LIFEBOAT_TOPIC_ARN", "LIFEBOAT_POLICY",
	"LIFEBOAT_SECRET_ARN", "LIFEBOAT_ADMIN_SECRET_ARN", "LIFEBOAT_DATABASES", "LIFEBOAT_READERS", "LIFEBOAT_ENDPOINT", "LIFEBOAT_DNS",
	"LIFEBOAT_CLUSTERS", "LIFEBOAT_TRIGGER", "LIFEBOAT_DATABASE_USER", "LIFEBOAT_DATABASE_CA", "LIFEBOAT_SCHEMA", "LIFEBOAT_DIALECT",
	"LIFEBOAT_SERVERS", "LAMBDA_TASK_ROOT",
}

// shapes are how a password gets into a variable; * is the password.
var shapes = []string{
	"*", "*!", "us-west-2=*", "us-west-2=*!", "us-west-2=a,*", "us-west-2=a,us-east-1=*/", "*=us-west-2", "us-west-2=a:*", "us-west-2=*:99999", "us-west-2=u:*@a:3306",
	"u:*@tcp(a:3306)/lifeboat", "mysql://u:*@a:3306/lifeboat", "us-east-1,*", "*,us-west-2", "us-west-2,us-east-1,*", "*=*", "a=*,a=*", "*=a,*=b",
	"arn:aws:secretsmanager:us-west-2:123456789012:*", "arn:aws:secretsmanager:*:123456789012:secret:x", "arn:aws:*:us-west-2:123456789012:x", "arn:*:sns",
	"https://u:*@host", "https://*@host/", "http://host:*/", "://*", "http://[::*", "ftp://*", "http://%zz*", "https://host?x=*\x7f",
	`{"*":1}`, `{"lease_ttl":"*"}`, `{"witnessless":"*"}`, `{"no_witness":"*"}`, `{"automatic":"*"}`, `{"preset":"*"}`, `{"confirm":"*"}`, `{"objectives":{"*":1}}`, `{"objectives":"*"}`,
	`{"lease_ttl":"6s","*":"*"}`, `{"lease_ttl":*}`, `"*"`, `["*"]`, `{"a":"*"`, "*{}", "{}*", `{"confirm":1e999,"*":""}`, `{"lease_ttl":{"*":1}}`,
}

func functions() map[boot.Function][]dr.Region {
	return map[boot.Function][]dr.Region{boot.Monitor: {east, west, witness}, boot.Trigger: {east, west}}
}

// quoted returns a part of a secret that a text shows, "" when it shows none.
func quoted(text, secret string) string {
	for at := 0; at+8 <= len(secret); at++ {
		if part := secret[at : at+8]; strings.Contains(strings.ToLower(text), strings.ToLower(part)) {
			return part
		}
	}
	return ""
}

// said returns what a function says that starts with an environment: its error and its log.
func said(f boot.Function, env map[string]string) string {
	var events, lines bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&lines, nil))
	h, err := boot.Start(f, func(key string) string { return env[key] }, &events, log, func(p boot.Process) (lambda.Handler, error) {
		return nil, p.Close()
	})
	if h == nil && err != nil {
		return err.Error() + lines.String() + events.String()
	}
	return lines.String() + events.String()
}

func TestNoErrorQuotesWhatItWasGiven(t *testing.T) {
	refused := 0
	for f, regions := range functions() {
		for _, r := range regions {
			for _, key := range variables {
				for _, shape := range shapes {
					env := environment(r, f)
					env[key] = strings.ReplaceAll(shape, "*", hush)
					text := said(f, env)
					require.Empty(t, quoted(text, hush), "%s in %s, %s=%s: %s", f, r, key, shape, text)
					if strings.Contains(text, key) {
						refused++
					}
				}
			}
		}
	}
	require.Greater(t, refused, 2000, "most are refused by name")
}

// What is wrong is still found: the variable, the entry, and what is expected.
func TestAnErrorLeadsToWhatIsWrong(t *testing.T) {
	for _, c := range []struct{ key, value, want string }{
		{"LIFEBOAT_DATABASES", "us-west-2=a,us-east-1=" + hush + "!", "LIFEBOAT_DATABASES, entry 2, is not host:port"},
		{"LIFEBOAT_DATABASES", hush, "LIFEBOAT_DATABASES, entry 1, is not name=value"},
		{"LIFEBOAT_READERS", "us-west-2=a, " + hush + "=b", "LIFEBOAT_READERS, entry 2, is for no member"},
		{"LIFEBOAT_MEMBERS", "us-west-2, " + hush, "LIFEBOAT_MEMBERS, entry 2, is not a Region's code"},
		{"LIFEBOAT_SECRET_ARN", hush, "LIFEBOAT_SECRET_ARN is no ARN of secretsmanager: give arn:aws:secretsmanager:REGION:ACCOUNT:NAME"},
		{"LIFEBOAT_TOPIC_ARN", hush, "LIFEBOAT_TOPIC_ARN is no ARN of sns"},
		{"LIFEBOAT_SERVERS", "1=us-west-2,2=" + hush, "LIFEBOAT_SERVERS, entry 2, is not a Region's code"},
		{"LIFEBOAT_POLICY", `{"confirm":3,"` + hush + `":1}`, "LIFEBOAT_POLICY has entry 2, which is none of a policy: names are like lease_ttl"},
		{"LIFEBOAT_POLICY", `{"lease_ttl":"` + hush + `"}`, `LIFEBOAT_POLICY has a value of lease_ttl that is none: durations are like "1.5s"`},
		{"LIFEBOAT_POLICY", `{"lease_ttl":"6s"`, "LIFEBOAT_POLICY is no JSON at byte 17"},
		{"LIFEBOAT_POLICY", `[]`, "LIFEBOAT_POLICY is no JSON object"},
		{"LIFEBOAT_POLICY", `{"confirm":30}`, "worst case"},
		{"AWS_ENDPOINT_URL_RDS", "https://u:" + hush + "@host", "AWS_ENDPOINT_URL_RDS has a login in it"},
		{"AWS_ENDPOINT_URL_RDS", hush, "AWS_ENDPOINT_URL_RDS is no URL: give https://HOST"},
		{"LIFEBOAT_DATABASE_CA", "/" + hush, "no such file or directory: put RDS's bundle into the package as rds-ca.pem, or set LIFEBOAT_DATABASE_CA"},
		{"LIFEBOAT_DATABASE_USER", hush + "!", "LIFEBOAT_DATABASE_USER is not a user: 1 to 32 letters, digits and underscores (it has 18 characters)"},
	} {
		env := environment(west, boot.Monitor)
		env[c.key] = c.value
		require.Contains(t, said(boot.Monitor, env), c.want)
	}
}

// The same for what a secret holds: a password may stand in the place of the user.
func TestNoErrorQuotesASecret(t *testing.T) {
	for _, value := range []string{
		hush, `{"username":"` + hush + `","password":"x"}`, `{"username":"lifeboat","password":7,"` + hush + `":1}`, `{"password":"` + hush + `"}`, `"` + hush + `"`, `{"username":"` + hush,
	} {
		_, _, err := boot.NewLogin("arn", "lifeboat", &vault{value: value}).Account(t.Context())
		require.Error(t, err)
		require.Empty(t, quoted(err.Error(), hush), err)
	}
}

// FuzzErrorsQuoteNothing puts a password anywhere into any variable.
func FuzzErrorsQuoteNothing(f *testing.F) {
	for i, shape := range shapes {
		f.Add(shape, uint8(i), uint8(i%5))
	}
	f.Fuzz(func(t *testing.T, shape string, variable, at uint8) {
		key := variables[int(variable)%len(variables)]
		function, r := boot.Monitor, []dr.Region{east, west, witness}[at%3]
		if at%5 > 2 {
			function, r = boot.Trigger, []dr.Region{east, west}[at%2]
		}
		env := environment(r, function)
		env[key] = strings.ReplaceAll(shape, "*", hush)
		text := said(function, env)
		require.Empty(t, quoted(text, hush), "%s: %s", key, text)
	})
}
