package boot_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/lambdas/internal/boot"
)

type handler func(context.Context, []byte) ([]byte, error)

func (h handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) { return h(ctx, payload) }

// host returns a handler's host and what it logs.
func host(h handler) (*boot.Host, *bytes.Buffer) {
	var log bytes.Buffer
	return boot.NewHost(h, slog.New(slog.NewJSONHandler(&log, nil))), &log
}

func TestAnInvocationIsOneLineOfTheLog(t *testing.T) {
	ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "r-1"})
	h, log := host(func(context.Context, []byte) ([]byte, error) {
		return []byte(`{"execution":"0000000002-0001","epoch":2,"state":"Settled"}`), nil
	})
	_, err := h.Invoke(ctx, nil)
	require.NoError(t, err)
	var line struct {
		Request string
		Answer  struct {
			Execution, State string
			Epoch            int
		}
	}
	require.NoError(t, json.Unmarshal(log.Bytes(), &line))
	require.Equal(t, "r-1", line.Request)
	require.Equal(t, "Settled", line.Answer.State)
	require.Equal(t, 2, line.Answer.Epoch)

	h, log = host(func(context.Context, []byte) ([]byte, error) { return nil, errors.New("the journal is silent") })
	out, err := h.Invoke(ctx, nil)
	require.ErrorContains(t, err, "the journal is silent")
	require.Nil(t, out)
	require.Contains(t, log.String(), `"level":"ERROR"`)
	require.Contains(t, log.String(), "the journal is silent")
}

func TestExpiredCredentialsEndTheProcess(t *testing.T) {
	for code, ends := range map[string]bool{"ExpiredToken": true, "ExpiredTokenException": true, "AccessDenied": false, "ThrottlingException": false} {
		cause := fmt.Errorf("monitor: us-east-1: %w", &smithy.GenericAPIError{Code: code, Message: "m"})
		require.Equal(t, ends, boot.Expired(cause), code)
		h, _ := host(func(context.Context, []byte) ([]byte, error) { return nil, cause })
		_, err := h.Invoke(t.Context(), nil)
		var answer messages.InvokeResponse_Error
		require.Equal(t, ends, errors.As(err, &answer), code)
		require.Equal(t, ends, answer.ShouldExit, "only a new process gets new credentials")
		if ends {
			require.Contains(t, answer.Message, code)
		}
	}
	require.False(t, boot.Expired(nil))
}

func TestSIGTERMWaitsForTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		h, log := host(func(ctx context.Context, _ []byte) ([]byte, error) {
			<-ctx.Done()
			<-time.After(200 * time.Millisecond) // it releases the monitor lease
			return []byte(`{}`), nil
		})
		answered := make(chan error, 1)
		go func() {
			_, err := h.Invoke(ctx, nil)
			answered <- err
		}()
		synctest.Wait()
		began := time.Now()
		h.End(cancel)
		require.NoError(t, <-answered)
		require.Contains(t, log.String(), "answered")
		require.Less(t, time.Since(began), 500*time.Millisecond, "then Lambda kills")
		require.GreaterOrEqual(t, time.Since(began), 200*time.Millisecond)

		began = time.Now()
		h, _ = host(nil)
		h.End(cancel)
		require.Zero(t, time.Since(began), "between invocations there is nothing to wait for")
	})
}

func TestStartSaysWhyItCannot(t *testing.T) {
	quiet := slog.New(slog.DiscardHandler)
	build := func(boot.Process) (lambda.Handler, error) { return nil, errors.New("not built") }
	env := environment(west, boot.Trigger)
	get := func(key string) string { return env[key] }
	_, err := boot.Start(boot.Trigger, get, new(bytes.Buffer), quiet, build)
	require.ErrorContains(t, err, "put RDS's bundle into the package as rds-ca.pem")
	env["LIFEBOAT_DATABASE_CA"] = certificates(t)
	_, err = boot.Start(boot.Trigger, get, new(bytes.Buffer), quiet, build)
	require.EqualError(t, err, "not built")
	env["LIFEBOAT_LEASE_TABLE"] = ""
	_, err = boot.Start(boot.Trigger, get, new(bytes.Buffer), quiet, build)
	require.ErrorContains(t, err, "LIFEBOAT_LEASE_TABLE is not set")
}

func TestAMonitorAnnouncesItsDatabaseWhileItIsInvoked(t *testing.T) {
	c := newCloud(t)
	env := environment(west, boot.Monitor)
	maps.Copy(env, map[string]string{"LIFEBOAT_DATABASE_CA": certificates(t), "AWS_ENDPOINT_URL": c.URL + "/other", "AWS_ENDPOINT_URL_DYNAMODB": c.URL + "/dynamodb", "AWS_ENDPOINT_URL_SECRETS_MANAGER": c.URL + "/secrets"})
	announced := func() bool {
		return c.called("PutItem") == 1 && c.called("west.cluster-def.us-west-2.rds.amazonaws.com:3307") == 1
	}
	h, err := boot.Start(boot.Monitor, func(key string) string { return env[key] }, new(bytes.Buffer), slog.New(slog.DiscardHandler), func(boot.Process) (lambda.Handler, error) {
		return handler(func(context.Context, []byte) ([]byte, error) {
			require.Zero(t, c.called(""), "nothing before the first probe")
			require.Eventually(t, announced, time.Minute, time.Millisecond)
			require.Eventually(t, func() bool { return c.called("/secrets/") == 2 }, time.Minute, time.Millisecond, "both accounts, before a probe needs them")
			return []byte("{}"), nil
		}), nil
	})
	require.NoError(t, err)
	out, err := h.Invoke(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, "{}", string(out))
}

// The connections for a server that is full one day are made while it is not.
func TestAMemberKeepsConnectionsWhileItIsInvoked(t *testing.T) {
	c := newCloud(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	dialled := make(chan struct{}, 64)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			dialled <- struct{}{}
			_ = conn.Close()
		}
	})
	defer wg.Wait()
	defer l.Close() //nolint:errcheck // a test's listener
	for f, least := range map[boot.Function]int{boot.Monitor: 3, boot.Trigger: 1} {
		env := environment(west, f)
		maps.Copy(env, map[string]string{
			"LIFEBOAT_DATABASE_CA": certificates(t), "AWS_ENDPOINT_URL": c.URL + "/other", "AWS_ENDPOINT_URL_DYNAMODB": c.URL + "/dynamodb",
			"AWS_ENDPOINT_URL_SECRETS_MANAGER": c.URL + "/secrets", "LIFEBOAT_DATABASES": "us-west-2=" + l.Addr().String(),
		})
		h, err := boot.Start(f, func(key string) string { return env[key] }, new(bytes.Buffer), slog.New(slog.DiscardHandler), func(boot.Process) (lambda.Handler, error) {
			return handler(func(context.Context, []byte) ([]byte, error) {
				for range least {
					<-dialled
				}
				return []byte("{}"), nil
			}), nil
		})
		require.NoError(t, err)
		_, err = h.Invoke(t.Context(), nil)
		require.NoError(t, err)
	}
}
