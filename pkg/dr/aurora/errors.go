package aurora

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// Error is a failed operation on the global database or one of its members.
type Error struct {
	Op      string    // such as "fail over to us-west-2"
	Subject string    // such as "global cluster orders"
	Region  dr.Region // whose API was asked
	Code    string    // AWS's code, such as InvalidGlobalClusterStateFault; "" when it did not answer
	Hint    string    // what to do; may be empty
	Err     error
}

func (e *Error) Error() string {
	s := fmt.Sprintf("aurora: %s: %s, asked in %s: %v", e.Op, e.Subject, e.Region, e.Err)
	if e.Hint != "" {
		s += ": " + e.Hint
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports failover.ErrRefused for a code that asking again does not change.
func (e *Error) Is(target error) bool {
	// A quota lasts until it is raised, whichever it is. A lack of capacity may pass.
	return target == failover.ErrRefused && (permanent[e.Code] || strings.Contains(e.Code, "QuotaExceeded"))
}

// permanent are the codes of refusals that last until a person changes something. Throttling
// (Throttling, RequestLimitExceeded), a server's error (InternalFailure,
// ServiceUnavailable) and no answer are none: they are over by themselves. A state fault
// may be, when another operation is just ending, so it counts after some refusals in a row.
var permanent = map[string]bool{
	"InvalidGlobalClusterStateFault": true, "InvalidDBClusterStateFault": true, "InvalidDBInstanceState": true,
	"GlobalClusterNotFoundFault": true, "DBClusterNotFoundFault": true, "DBInstanceNotFound": true,
	"AccessDenied": true, "AccessDeniedException": true, "UnauthorizedOperation": true, "NotAuthorized": true, "OptInRequired": true,
	"InvalidClientTokenId": true, "UnrecognizedClientException": true, "SignatureDoesNotMatch": true, "MissingAuthenticationToken": true, "IncompleteSignature": true,
	"InvalidParameterValue": true, "InvalidParameterCombination": true, "MissingParameter": true, "ValidationError": true, "KMSKeyNotAccessibleFault": true,
	"InvalidAction": true, "UnsupportedOperation": true,
}

func apiError(op, subject string, region dr.Region, err error) *Error {
	code := errorCode(err)
	return &Error{Op: op, Subject: subject, Region: region, Code: code, Hint: hints[code], Err: err}
}

var hints = map[string]string{
	"InvalidGlobalClusterStateFault": "read its state again before asking again: another operation runs, the target is the writer already, or the members' engine versions differ in their patch level",
	"InvalidDBClusterStateFault":     "the member must be available and have at least one instance",
	"GlobalClusterNotFoundFault":     "give the identifier of the global cluster",
	"DBClusterNotFoundFault":         "give the identifier of the member cluster in this Region",
	"DBInstanceNotFound":             "the instance was deleted: refresh the isolator",
	"AccessDenied":                   "allow the role the RDS action on the global cluster and on both member clusters",
	"UnrecognizedClientException":    "check the credentials and their Region",
	"ExpiredToken":                   "renew the credentials",
}

// errorCode returns AWS's code, or "" when there was no answer.
func errorCode(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// answered reports whether an API has answered, if only to refuse: an error of its
// own counts as no answer.
func answered(err error) bool {
	if err == nil {
		return true
	}
	var response *smithyhttp.ResponseError // also wraps requests without an answer
	if !errors.As(err, &response) {
		return false
	}
	code := response.HTTPStatusCode()
	return code > 0 && code < http.StatusInternalServerError
}
