package cloud_test

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/cloud"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

const login = `{"username":"admin","password":"made \"up\" ✓"}`

// withLogin gives east and west a login and its replica.
func withLogin(c *cloud.Config) {
	c.Secrets = []cloud.Secret{{Region: east, Name: "lifeboat/login", Value: login}, {Region: west, Name: "lifeboat/login", Value: login}}
}

func (w *world) secrets(r dr.Region, client secretsmanager.HTTPClient) *secretsmanager.Client {
	return secretsmanager.New(secretsmanager.Options{
		Region: string(r), HTTPClient: client, Credentials: aws.CredentialsProviderFunc(credentials), RetryMaxAttempts: 1,
	})
}

func TestGetSecretValue(t *testing.T) {
	w := start(t, withLogin)
	arn := w.SecretARN(west, "lifeboat/login")
	require.Regexp(t, `^arn:aws:secretsmanager:us-west-2:123456789012:secret:lifeboat/login-[A-Za-z0-9]{6}$`, arn)
	for name, id := range map[string]string{"by name": "lifeboat/login", "by ARN": arn, "by ARN without its suffix": arn[:len(arn)-7]} {
		t.Run(name, func(t *testing.T) {
			out, err := w.secrets(west, w.RoundTripper(west)).GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: &id})
			require.NoError(t, err)
			require.Equal(t, login, *out.SecretString)
			require.Equal(t, arn, *out.ARN)
			require.Equal(t, "lifeboat/login", *out.Name)
			require.Len(t, *out.VersionId, 36)
			require.Equal(t, []string{"AWSCURRENT"}, out.VersionStages)
			require.WithinDuration(t, time.Now(), *out.CreatedDate, time.Minute)

			_, err = w.secrets(west, w.RoundTripper(west)).GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{
				SecretId: &id, VersionId: out.VersionId, VersionStage: aws.String("AWSCURRENT"),
			})
			require.NoError(t, err)
		})
	}
}

func TestGetSecretValueRefusals(t *testing.T) {
	w := start(t, withLogin)
	for name, in := range map[string]secretsmanager.GetSecretValueInput{
		"unknown name":           {SecretId: aws.String("lifeboat/other")},
		"unknown ARN":            {SecretId: aws.String(w.SecretARN(east, "lifeboat/other"))},
		"the ARN of a replica":   {SecretId: aws.String(w.SecretARN(west, "lifeboat/login"))},
		"a version that is past": {SecretId: aws.String("lifeboat/login"), VersionStage: aws.String("AWSPREVIOUS")},
		"an unknown version":     {SecretId: aws.String("lifeboat/login"), VersionId: aws.String("00000000-0000-4000-8000-000000000000")},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.secrets(east, w.RoundTripper(east)).GetSecretValue(t.Context(), &in)
			_, typed := errors.AsType[*types.ResourceNotFoundException](err)
			require.True(t, typed, "%v", err)
			require.ErrorContains(t, err, "Secrets Manager can't find the specified secret")
		})
	}
	_, err := w.secrets(witness, w.RoundTripper(witness)).GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String("lifeboat/login")})
	require.Equal(t, "ResourceNotFoundException", code(t, err))
	_, err = w.secrets(east, w.RoundTripper(east)).ListSecrets(t.Context(), &secretsmanager.ListSecretsInput{})
	require.Equal(t, "NotEmulated", code(t, err))
}

// Functions reach it by an endpoint of their own, as AWS_ENDPOINT_URL_SECRETS_MANAGER says.
func TestSecretsOverLoopback(t *testing.T) {
	w := start(t, withLogin)
	server := httptest.NewServer(w.Handler(west))
	t.Cleanup(server.Close)
	client := secretsmanager.New(secretsmanager.Options{
		Region: string(west), BaseEndpoint: &server.URL, Credentials: aws.CredentialsProviderFunc(credentials), RetryMaxAttempts: 1,
	})
	out, err := client.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String(w.SecretARN(west, "lifeboat/login"))})
	require.NoError(t, err)
	require.Equal(t, login, *out.SecretString)
}

func TestSecretsHaveTheFaultSwitch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, withLogin)
		ask := func(client *cloud.Transport) error {
			_, err := w.secrets(west, client).GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String("lifeboat/login")})
			return err
		}
		for text, want := range map[string]string{
			"us-west-2/secretsmanager/GetSecretValue=throttle":   "ThrottlingException",
			"us-west-2/secretsmanager/Get*=error(500)":           "InternalServiceError",
			"us-west-2/secretsmanager/*=error(503)":              "ServiceUnavailableException",
			"us-west-2/secretsmanager/GetSecretValue=delay(10s)": "",
		} {
			f, err := cloud.ParseFault(text)
			require.NoError(t, err)
			require.Equal(t, text, f.String())
			clear, began := w.SetFault(f), time.Now()
			err = ask(w.RoundTripper(west))
			clear()
			if want != "" {
				require.Equal(t, want, code(t, err))
				continue
			}
			require.NoError(t, err)
			require.Equal(t, 10*time.Second, time.Since(began))
		}
		w.SetLink(east, west, false)
		time.AfterFunc(time.Minute, func() { w.SetLink(east, west, true) })
		began := time.Now()
		require.NoError(t, ask(w.From(east)), "west's endpoint, asked from east")
		require.GreaterOrEqual(t, time.Since(began), time.Minute, "silence while the link is cut")
	})
}

func TestASecretPrintsWithoutItsValue(t *testing.T) {
	var c cloud.Config
	withLogin(&c)
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		require.NotContains(t, fmt.Sprintf(format, c.Secrets), "password")
		require.Contains(t, fmt.Sprintf(format, c.Secrets), "lifeboat/login in us-east-1")
	}
}
