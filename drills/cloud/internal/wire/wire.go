// Package wire reads and writes the AWS wire protocols that the emulated
// services speak: query (form in, XML out: RDS and SNS), JSON 1.0 (DynamoDB),
// JSON 1.1 (Secrets Manager) and RPC v2 CBOR (CloudWatch).
//
// It was written against what aws-sdk-go-v2 sends and parses (rds v1.132.1,
// sns v1.47.9, dynamodb v1.73.1, cloudwatch v1.75.5,
// secretsmanager v1.50.10). Signatures are never
// checked: only the credential scope of the Authorization header is read.
package wire

import (
	"context"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// Protocol is a wire protocol.
type Protocol uint8

// The wire protocols.
const (
	Query  Protocol = iota // form-encoded request, XML response
	JSON                   // AWS JSON 1.0
	CBOR                   // Smithy RPC v2 CBOR
	JSON11                 // AWS JSON 1.1
)

// Call is one request after its envelope has been read.
type Call struct {
	Region    dr.Region
	Service   string // as the fault switch writes it: rds, sns, dynamodb, cloudwatch, secretsmanager
	Operation string
	Body      string
	// AsOf is how far in the past a read must answer from. Zero means now.
	AsOf time.Duration
}

// Service answers the calls of one emulated service. A returned *Error is
// rendered in the service's protocol; any other error is the caller's context
// ending, or a connection that breaks.
type Service interface {
	Serve(ctx context.Context, call Call) ([]byte, error)
}

// Response is an answer ready for any transport.
type Response struct {
	Status     int
	Code       string // of an error
	Type       string // Content-Type
	Body       []byte
	QueryError string // X-Amzn-Query-Error, when not empty
}

// ContentType returns the protocol's content type of answers.
func (p Protocol) ContentType() string {
	switch p {
	case JSON:
		return "application/x-amz-json-1.0"
	case JSON11:
		return "application/x-amz-json-1.1"
	case CBOR:
		return "application/cbor"
	default:
		return "text/xml"
	}
}
