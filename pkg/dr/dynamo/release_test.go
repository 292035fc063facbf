package dynamo_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/dynamo"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// released is the answer of the table once seen is released.
func released(member string) string {
	return strings.TrimSuffix(leaseJSON(member, 4, 91, east, "x3"), "}}") + `,"released":{"BOOL":true}}}`
}

func TestReleaseLease(t *testing.T) {
	w, s := script(t, ok(released("Attributes")))
	l, err := s.ReleaseLease(t.Context(), seen)
	require.NoError(t, err)
	require.True(t, l.Released)
	require.EqualValues(t, 91, l.Rev)
	require.Equal(t, "#epoch = :epoch AND #holder = :holder AND #rev = :rev AND (attribute_not_exists(#released) OR #released = :no)"+
		" AND (attribute_not_exists(#version) OR #version <= :version)", w.seen[0].Body["ConditionExpression"])
	require.Equal(t, "SET #rev = #rev + :one, #at = :at, #released = :yes", w.seen[0].Body["UpdateExpression"])
}

func TestReleaseLeaseAfterSilence(t *testing.T) {
	for name, c := range map[string]struct {
		replies []reply
		ops     string
		is      error // nil: any error that is no sentinel
		done    bool
	}{
		"the first attempt had released it":  {[]reply{silence, refuseShowing(released("Item"))}, "UpdateItem UpdateItem", nil, true},
		"an earlier call had released it":    {[]reply{refuseShowing(released("Item"))}, "UpdateItem", nil, true},
		"the second attempt releases it":     {[]reply{silence, ok(released("Attributes"))}, "UpdateItem UpdateItem", nil, true},
		"both silent, one had released it":   {[]reply{silence, silence, ok(released("Item"))}, "UpdateItem UpdateItem GetItem", nil, true},
		"renewed since":                      {[]reply{silence, refuseShowing(leaseJSON("Item", 4, 91, east, "x3"))}, "UpdateItem UpdateItem", failover.ErrLeaseMoved, false},
		"both silent, renewed since":         {[]reply{silence, silence, ok(leaseJSON("Item", 4, 91, east, "x3"))}, "UpdateItem UpdateItem GetItem", failover.ErrLeaseMoved, false},
		"taken since":                        {[]reply{refuseShowing(leaseJSON("Item", 5, 91, west, "x4"))}, "UpdateItem", failover.ErrLeaseMoved, false},
		"deleted since":                      {[]reply{silence, refuse("ConditionalCheckFailedException")}, "UpdateItem UpdateItem", failover.ErrLeaseMoved, false},
		"both silent, still as it was":       {[]reply{silence, silence, ok(leaseJSON("Item", 4, 90, east, "x3"))}, "UpdateItem UpdateItem GetItem", nil, false},
		"what is stored is damaged":          {[]reply{refuseShowing(`{"Item":{"sk":{"S":"lease"}}}`)}, "UpdateItem", nil, false},
		"refused before it was tried":        {[]reply{refuse("AccessDeniedException")}, "UpdateItem", nil, false},
		"a newer version has written it":     {[]reply{refuseShowing(newerLease("Item"))}, "UpdateItem", failover.ErrNewerRecord, false},
		"silent, a newer version writes now": {[]reply{silence, silence, ok(newerLease("Item"))}, "UpdateItem UpdateItem GetItem", failover.ErrNewerRecord, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, s := script(t, c.replies...)
				l, err := s.ReleaseLease(t.Context(), seen)
				require.Equal(t, c.ops, strings.Join(w.ops(), " "))
				switch {
				case c.done:
					require.NoError(t, err)
					require.True(t, l.Released)
				case c.is != nil:
					require.ErrorIs(t, err, c.is)
				default:
					require.Error(t, err)
					require.NotErrorIs(t, err, failover.ErrLeaseMoved, "nothing is known")
				}
				require.Equal(t, c.done, err == nil)
			})
		})
	}
}

// newerLease is the lease as a newer version of Lifeboat may write it: with a version that
// this one doesn't know, and without what this one expects.
func newerLease(member string) string {
	return `{"` + member + `":{"pk":{"S":"orders"},"sk":{"S":"lease"},"epoch":{"N":"4"},"holder":{"S":"us-east-1"},"rev":{"N":"90"},"version":{"N":"2"},"owner":{"S":"?"}}}`
}

func TestALeaseOfANewerVersion(t *testing.T) {
	const says = "item lease: failover: a newer version of Lifeboat has written the record: it is of version 2 and this process understands version 1: update this Region's functions"
	for name, c := range map[string]struct {
		answer reply
		call   func(context.Context, *dynamo.Store) error
	}{
		"read":    {ok(newerLease("Item")), func(ctx context.Context, s *dynamo.Store) error { _, err := s.ReadLease(ctx); return err }},
		"renewed": {refuseShowing(newerLease("Item")), func(ctx context.Context, s *dynamo.Store) error { _, err := s.RenewLease(ctx, seen); return err }},
		"taken":   {refuseShowing(newerLease("Item")), func(ctx context.Context, s *dynamo.Store) error { _, err := s.TakeLease(ctx, seen, claim); return err }},
		"taken first": {refuseShowing(newerLease("Item")), func(ctx context.Context, s *dynamo.Store) error {
			_, err := s.TakeLease(ctx, failover.Lease{}, claim)
			return err
		}},
		"released": {refuseShowing(newerLease("Item")), func(ctx context.Context, s *dynamo.Store) error { _, err := s.ReleaseLease(ctx, seen); return err }},
	} {
		t.Run(name, func(t *testing.T) {
			w, s := script(t, c.answer)
			err := c.call(t.Context(), s)
			require.ErrorIs(t, err, failover.ErrNewerRecord)
			require.ErrorContains(t, err, says)
			require.NotErrorIs(t, err, failover.ErrLeaseMoved, "the guard would fence a writer")
			require.Len(t, w.seen, 1)
		})
	}
}

// A lease that was written before leases had a version and could be released.
func TestALeaseOfAnOlderVersion(t *testing.T) {
	_, s := script(t, ok(leaseJSON("Item", 4, 90, east, "x3")))
	l, err := s.ReadLease(t.Context())
	require.NoError(t, err)
	require.False(t, l.Released)

	for attribute, says := range map[string]string{
		`"version":{"N":"0"}`: "attribute version is not a number above 0", `"version":{"S":"2"}`: "attribute version is not a number",
		`"released":{"S":"yes"}`: "attribute released is not true or false",
	} {
		_, s := script(t, ok(strings.Replace(leaseJSON("Item", 4, 90, east, "x3"), `"rev"`, attribute+`,"rev"`, 1)))
		_, err := s.ReadLease(t.Context())
		require.ErrorContains(t, err, says)
	}
}

// A renewal may hang on its way while the lease is released, and is carried out then.
func TestARenewalThatIsLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, s := script(t, silence, refuseShowing(released("Item")))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := s.RenewLease(ctx, seen)
		require.ErrorIs(t, err, failover.ErrLeaseMoved)
	})
}
