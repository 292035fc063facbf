package embedded

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// awsConfig makes the SDK's own clients, all of them but the signature: the emulated cloud
// reads the scope of the credentials and checks nothing else, and hashing would be a
// quarter of what a call costs. DynamoDB, which gets most of the calls, has package
// direct's.
func awsConfig() aws.Config {
	return aws.Config{
		Credentials: aws.AnonymousCredentials{},
		APIOptions:  []func(*middleware.Stack) error{unsigned},
	}
}

func unsigned(s *middleware.Stack) error {
	_, err1 := s.Finalize.Swap("Signing", scoped{})
	_, err2 := s.Finalize.Remove("ComputePayloadHash")
	return errors.Join(err1, err2)
}

// scoped writes the scope that a signature would have.
type scoped struct{}

// ID implements middleware.FinalizeMiddleware.
func (scoped) ID() string { return "Signing" }

// HandleFinalize implements middleware.FinalizeMiddleware.
func (scoped) HandleFinalize(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
	r, ok := in.Request.(*smithyhttp.Request)
	if !ok {
		return middleware.FinalizeOutput{}, middleware.Metadata{}, fmt.Errorf("embedded: sign %T: it is no request of HTTP", in.Request)
	}
	// The hosts are endpoint's.
	service, rest, _ := strings.Cut(r.URL.Host, ".")
	region, _, _ := strings.Cut(rest, ".")
	r.Header.Set("Authorization", authorization(service, region))
	return next.HandleFinalize(ctx, in)
}

func authorization(service, region string) string {
	return "AWS4-HMAC-SHA256 Credential=EMBEDDED/19700101/" + region + "/" + service + "/aws4_request, SignedHeaders=host, Signature=none"
}
