package aurora_test

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// TestWhatIsRefusedForGood: what RDS refuses and asking again does not change is a question
// for people; what passes by itself is asked again.
func TestWhatIsRefusedForGood(t *testing.T) {
	for code, c := range map[string]struct {
		status int
		good   bool
	}{
		"InvalidGlobalClusterStateFault": {400, true}, "InvalidDBClusterStateFault": {400, true}, "InvalidDBInstanceState": {400, true},
		"GlobalClusterNotFoundFault": {404, true}, "DBClusterNotFoundFault": {404, true}, "DBInstanceNotFound": {404, true},
		"AccessDenied": {403, true}, "AccessDeniedException": {400, true}, "NotAuthorized": {400, true}, "UnauthorizedOperation": {403, true},
		"OptInRequired": {403, true}, "InvalidClientTokenId": {403, true}, "UnrecognizedClientException": {400, true},
		"SignatureDoesNotMatch": {403, true}, "MissingAuthenticationToken": {403, true}, "IncompleteSignature": {400, true},
		"InvalidParameterValue": {400, true}, "InvalidParameterCombination": {400, true}, "MissingParameter": {400, true}, "ValidationError": {400, true},
		"KMSKeyNotAccessibleFault": {400, true}, "InvalidAction": {400, true}, "UnsupportedOperation": {400, true},
		"DBClusterQuotaExceededFault": {403, true}, "InstanceQuotaExceeded": {400, true}, "StorageQuotaExceeded": {400, true}, "GlobalClusterQuotaExceededFault": {400, true},

		"Throttling": {400, false}, "ThrottlingException": {400, false}, "RequestLimitExceeded": {503, false}, "TooManyRequestsException": {429, false},
		"InternalFailure": {500, false}, "InternalError": {500, false}, "ServiceUnavailable": {503, false}, "Unavailable": {503, false}, "RequestTimeout": {408, false},
		"ExpiredToken": {403, false}, "ExpiredTokenException": {400, false}, "RequestExpired": {400, false},
		"InsufficientDBClusterCapacityFault": {403, false}, "InsufficientDBInstanceCapacity": {400, false}, "SomethingThatIsNew": {400, false},
	} {
		for _, op := range []string{"FailoverGlobalCluster", "SwitchoverGlobalCluster"} {
			t.Run(op+" "+code, func(t *testing.T) {
				inWest := &region{answers: map[string]answer{"DescribeGlobalClusters": global("available", east, ""), "FailoverGlobalCluster": refuses(c.status, code)}}
				inEast := &region{answers: map[string]answer{"SwitchoverGlobalCluster": refuses(c.status, code)}}
				ask := cluster(t, inEast, inWest).Failover
				if op == "SwitchoverGlobalCluster" {
					ask = cluster(t, inEast, inWest).Switchover
				}
				err := ask(t.Context(), west)
				require.ErrorContains(t, err, code)
				require.Equal(t, c.good, errors.Is(err, failover.ErrRefused), "asked again: %v", !c.good)
				require.Len(t, append(inWest.asked(op), inEast.asked(op)...), 1, "it is asked once")
			})
		}
	}
	for name, a := range map[string]answer{"silence": silence, "a reset": breaks(errors.New("connection reset"))} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				inWest := &region{answers: map[string]answer{"DescribeGlobalClusters": global("available", east, ""), "FailoverGlobalCluster": a}}
				err := cluster(t, &region{}, inWest).Failover(t.Context(), west)
				require.Error(t, err)
				require.NotErrorIs(t, err, failover.ErrRefused)
			})
		})
	}
}
