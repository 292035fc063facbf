package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/lambdas/internal/boot"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// TestBuild starts the function of a member and of the witness on an AWS that refuses
// everything: it must look at the monitor lease first and say what it was refused.
func TestBuild(t *testing.T) {
	for name, region := range map[string]string{"member": "us-west-2", "witness": "us-east-2"} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			var asked []string
			aws := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				var body bytes.Buffer
				_, _ = body.ReadFrom(r.Body)
				mu.Lock()
				asked = append(asked, r.Header.Get("X-Amz-Target")+" "+body.String())
				mu.Unlock()
				w.WriteHeader(http.StatusBadRequest)
				_ = json.NewEncoder(w).Encode(map[string]string{"__type": "com.amazonaws.dynamodb.v20120810#AccessDeniedException", "message": "refused"})
			}))
			defer aws.Close()
			env := map[string]string{
				"AWS_REGION": region, "AWS_LAMBDA_FUNCTION_NAME": "lifeboat-test-health-monitor",
				"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "none", "AWS_ENDPOINT_URL": aws.URL,
				"LIFEBOAT_ENDPOINT_URL_DYNAMODB_US_EAST_1": aws.URL, "LIFEBOAT_ENDPOINT_URL_DYNAMODB_US_WEST_2": aws.URL,
				"LIFEBOAT_GLOBAL_CLUSTER": "lifeboat", "LIFEBOAT_MEMBERS": "us-east-1,us-west-2", "LIFEBOAT_WITNESS": "us-east-2",
				"LIFEBOAT_LEASE_TABLE": "lifeboat-lease", "LIFEBOAT_TOPIC_ARN": "arn:aws:sns:" + region + ":123456789012:people",
			}
			if name == "member" {
				env["LIFEBOAT_SECRET_ARN"] = "arn:aws:secretsmanager:us-west-2:123456789012:secret:db-AbCdEf"
				env["LIFEBOAT_ADMIN_SECRET_ARN"] = "arn:aws:secretsmanager:us-west-2:123456789012:secret:admin-AbCdEf"
				env["LIFEBOAT_DATABASES"] = "us-east-1=127.0.0.1:1,us-west-2=127.0.0.1:1"
				env["LIFEBOAT_DIALECT"], env["LIFEBOAT_DATABASE_CA"] = "mysql", "none"
				env["LIFEBOAT_SERVERS"] = "1=us-east-1,2=us-west-2"
			}
			var log bytes.Buffer
			h, err := boot.Start(boot.Monitor, func(k string) string { return env[k] }, &log, slog.New(slog.NewJSONHandler(&log, nil)), build)
			require.NoError(t, err)
			spare := 5 * time.Second
			if name == "member" {
				spare = failover.BehindTime(dr.Policy{})
			}
			ctx, cancel := context.WithTimeout(t.Context(), spare+time.Second)
			defer cancel()
			out, err := h.Invoke(ctx, nil)
			require.NoError(t, err)
			require.JSONEq(t, `{"region":"`+region+`","held":0,"worked_ms":0}`, string(out), "no process works without the monitor lease")
			mu.Lock()
			defer mu.Unlock()
			require.NotEmpty(t, asked)
			for _, a := range asked {
				if strings.HasPrefix(a, "secretsmanager.GetSecretValue ") && name == "member" {
					continue // both logins are read ahead
				}
				require.True(t, strings.HasPrefix(a, "DynamoDB_20120810.GetItem "), a)
				require.Contains(t, a, `"monitor-lease#`+region+`"`)
			}
			require.Equal(t, 1, strings.Count(log.String(), `"what":"failed"`), "the first of several failures: %s", log.String())
			require.Contains(t, log.String(), "allow the role dynamodb:GetItem")
		})
	}
}
