package boot

import (
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// callTimeout is the deadline of one call to Secrets Manager. It is below the deadline
// of a probe, which waits for it.
const callTimeout = 1200 * time.Millisecond

// newHTTP returns the client of every AWS call of the process. Its calls have deadlines
// of a second or two, while the SDK's own would wait 30 s for the handshake of a Region
// that is gone; and it speaks HTTP/1.1 only, where a call that runs into its deadline
// takes its dead connection with it (as the adapters' own client does).
func newHTTP() aws.HTTPClient {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	return &http.Client{Transport: &http.Transport{
		Protocols:           &protocols,
		DialContext:         (&net.Dialer{Timeout: time.Second, KeepAlive: 15 * time.Second}).DialContext,
		TLSHandshakeTimeout: time.Second,
		MaxIdleConnsPerHost: 8,
		IdleConnTimeout:     30 * time.Second,
	}}
}

// newSecrets returns a client of one Region that tries once: the next connection asks
// again.
func newSecrets(cfg aws.Config, r dr.Region, endpoint string, hc aws.HTTPClient) *secretsmanager.Client {
	return secretsmanager.NewFromConfig(cfg, func(o *secretsmanager.Options) {
		o.Region, o.HTTPClient = r.String(), hc
		if endpoint != "" {
			o.BaseEndpoint = &endpoint
		}
		o.Retryer = aws.NopRetryer{}
		o.RetryMaxAttempts = 0
	})
}

// ErrExpired is what a handler returns when the process's credentials have expired; the
// process must end, because Lambda gives new ones to a new process only.
var ErrExpired = errors.New("boot: the credentials of this process have expired: the next process gets new ones")

// Expired reports whether AWS has refused a call because its credentials are too old.
// RDS and SNS say ExpiredToken, DynamoDB, Lambda and Secrets Manager
// ExpiredTokenException (AWS general reference, common error types).
func Expired(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && (api.ErrorCode() == "ExpiredToken" || api.ErrorCode() == "ExpiredTokenException")
}
