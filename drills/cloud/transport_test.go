package cloud_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/cloud"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// TestLoopback runs the SDK's clients over real sockets.
func TestLoopback(t *testing.T) {
	w := start(t, func(c *cloud.Config) {
		c.Latency = func(a, b dr.Region) time.Duration { return time.Millisecond }
	})
	server := httptest.NewServer(w.Handler(east))
	t.Cleanup(server.Close)
	endpoint := aws.String(server.URL)
	provider := aws.CredentialsProviderFunc(credentials)
	db := rds.New(rds.Options{Region: "us-east-1", BaseEndpoint: endpoint, Credentials: provider, RetryMaxAttempts: 1})
	ddb := dynamodb.New(dynamodb.Options{Region: "us-east-1", BaseEndpoint: endpoint, Credentials: provider, RetryMaxAttempts: 1})
	cw := cloudwatch.New(cloudwatch.Options{Region: "us-east-1", BaseEndpoint: endpoint, Credentials: provider, RetryMaxAttempts: 1})
	topics := sns.New(sns.Options{Region: "us-east-1", BaseEndpoint: endpoint, Credentials: provider, RetryMaxAttempts: 1})

	clusters, err := db.DescribeDBClusters(t.Context(), &rds.DescribeDBClustersInput{})
	require.NoError(t, err)
	require.Len(t, clusters.DBClusters, 1)
	put(t, ddb, "lease", item("id", "a", "v", 1))
	got, err := read(t.Context(), ddb, true)
	require.NoError(t, err)
	require.Equal(t, item("id", "a", "v", 1), got)
	_, err = cw.DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{})
	require.NoError(t, err)
	_, err = topics.Publish(t.Context(), &sns.PublishInput{TopicArn: aws.String(w.TopicARN(east, "people")), Message: aws.String("x")})
	require.NoError(t, err)
	_, err = topics.Publish(t.Context(), &sns.PublishInput{TopicArn: aws.String(w.TopicARN(east, "no")), Message: aws.String("x")})
	require.Equal(t, "NotFound", code(t, err))

	describe := func(ctx context.Context) error {
		_, err := db.DescribeGlobalClusters(ctx, &rds.DescribeGlobalClustersInput{})
		return err
	}
	clear := w.SetFault(cloud.On(east, cloud.RDS, "").Refuse())
	err = describe(t.Context())
	require.Error(t, err)
	require.Regexp(t, "reset|EOF|closed", err.Error())
	clear()

	clear = w.SetFault(cloud.On(east, cloud.RDS, "").Hang())
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, describe(ctx), context.DeadlineExceeded)
	clear()
	require.NoError(t, describe(t.Context()))
}

// TestHangUpWithoutSocket holds that a refused call has no answer even where
// the connection can't be taken over.
func TestHangUpWithoutSocket(t *testing.T) {
	w := start(t, nil)
	w.SetFault(cloud.On("", "", "").Refuse())
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("Action=DescribeDBClusters&Version=2014-10-31"))
	r.Header.Set("Authorization", signature(east, "rds"))
	require.PanicsWithValue(t, http.ErrAbortHandler, func() { w.Handler(east).ServeHTTP(httptest.NewRecorder(), r) })
}

func signature(r dr.Region, service string) string {
	return "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261122/" + string(r) + "/" + service + "/aws4_request, SignedHeaders=host, Signature=00"
}

// TestEnvelope holds that requests which AWS would refuse before looking at
// their content are refused the same way.
func TestEnvelope(t *testing.T) {
	w := start(t, nil)
	const body = "Action=DescribeDBClusters&Version=2014-10-31"
	dynamo := map[string]string{"X-Amz-Target": "DynamoDB_20120810.GetItem"}
	for name, tt := range map[string]struct {
		auth, body string
		header     map[string]string
		status     int
		want       string
	}{
		"served":                   {signature(west, "rds"), body, nil, 200, "<DescribeDBClustersResult>"},
		"not signed":               {"", body, nil, 403, "<Code>MissingAuthenticationToken</Code>"},
		"not signed, JSON":         {"", "{}", dynamo, 400, "MissingAuthenticationTokenException"},
		"basic authentication":     {"Basic eDp5", body, nil, 403, "<Code>IncompleteSignature</Code>"},
		"scope too short":          {"AWS4-HMAC-SHA256 Credential=A/us-west-2/rds/aws4_request", body, nil, 403, "IncompleteSignature"},
		"scope of another Region":  {signature(east, "rds"), body, nil, 403, "<Code>SignatureDoesNotMatch</Code><Message>Credential should be scoped to a valid region, not &#39;us-east-1&#39;"},
		"JSON of another Region":   {signature(east, "dynamodb"), "{}", dynamo, 400, "#InvalidSignatureException"},
		"service that is not here": {signature(west, "lambda"), "{}", nil, 501, "lambda service is not emulated"},
		"service in a wrong wire":  {signature(west, "dynamodb"), body, nil, 501, "dynamodb this wire protocol is not emulated"},
		"no action":                {signature(west, "rds"), "Version=2014-10-31", nil, 400, "<Code>MissingAction</Code>"},
		"no operation":             {signature(west, "dynamodb"), "{}", map[string]string{"X-Amz-Target": "Streams.Get"}, 400, "UnknownOperationException"},
		"another version":          {signature(west, "rds"), "Action=DescribeDBClusters&Version=2000-01-01", nil, 400, "<Code>NoSuchVersion</Code>"},
		"malformed form":           {signature(west, "rds"), body + "&x=%zz", nil, 400, "<Code>MalformedQueryString</Code>"},
		"unknown parameter":        {signature(west, "rds"), body + "&ClientToken=7", nil, 400, "<Code>InvalidQueryParameter</Code><Message>The request has parameters that the operation does not know: ClientToken"},
		"boolean that is none":     {signature(west, "rds"), body + "&IncludeShared=maybe", nil, 400, "<Code>MalformedInput</Code>"},
		"missing parameter":        {signature(west, "rds"), "Action=FailoverGlobalCluster&Version=2014-10-31", nil, 400, "<Code>MissingParameter</Code>"},
		"malformed JSON":           {signature(west, "dynamodb"), `{"TableName":`, dynamo, 400, "#SerializationException"},
		"JSON with a tail":         {signature(west, "dynamodb"), `{} {}`, dynamo, 400, "#SerializationException"},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(tt.body))
			if tt.auth != "" {
				r.Header.Set("Authorization", tt.auth)
			}
			for k, v := range tt.header {
				r.Header.Set(k, v)
			}
			resp, err := w.RoundTripper(west).RoundTrip(r)
			require.NoError(t, err)
			got, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.Equal(t, tt.status, resp.StatusCode, "%s", got)
			require.Contains(t, strings.ReplaceAll(string(got), "'", "&#39;"), tt.want)

			// Over HTTP it is the same answer.
			r = httptest.NewRequest(http.MethodPost, "/", strings.NewReader(tt.body))
			if tt.auth != "" {
				r.Header.Set("Authorization", tt.auth)
			}
			for k, v := range tt.header {
				r.Header.Set(k, v)
			}
			rec := httptest.NewRecorder()
			w.Handler(west).ServeHTTP(rec, r)
			require.Equal(t, resp.StatusCode, rec.Code)
			require.Equal(t, string(got), rec.Body.String())
			require.Equal(t, resp.Header.Get("Content-Type"), rec.Header().Get("Content-Type"))
		})
	}
}

// TestUnknownRegion holds that a Region that is not configured says so.
func TestUnknownRegion(t *testing.T) {
	w := start(t, nil)
	_, err := w.rds("eu-west-1").DescribeDBClusters(t.Context(), &rds.DescribeDBClustersInput{})
	require.Equal(t, "NotEmulated", code(t, err))
	require.ErrorContains(t, err, "Region eu-west-1")
}

// TestFrom calls other Regions' endpoints the way a caller in a Region does.
func TestFrom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen []cloud.Exchange
		w := start(t, func(c *cloud.Config) { c.Observe = func(x cloud.Exchange) { seen = append(seen, x) } })
		call := func(from, to dr.Region, limit time.Duration) (time.Duration, error) {
			c := rds.New(rds.Options{Region: string(to), HTTPClient: w.From(from), Credentials: aws.CredentialsProviderFunc(credentials), RetryMaxAttempts: 1})
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			began := time.Now()
			_, err := c.DescribeDBClusters(ctx, &rds.DescribeDBClustersInput{})
			return time.Since(began), err
		}
		took, err := call(west, east, time.Second)
		require.NoError(t, err)
		require.Equal(t, 60*time.Millisecond, took)
		took, err = call(west, west, time.Second)
		require.NoError(t, err)
		require.Zero(t, took)

		w.SetLink(east, west, false)
		require.False(t, w.Linked(west, east))
		took, err = call(west, east, 1500*time.Millisecond)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 1500*time.Millisecond, took)
		_, err = call(witness, east, time.Second)
		require.NoError(t, err, "the other link is up")

		go func() {
			<-time.After(time.Second)
			w.SetLink(east, west, true)
		}()
		took, err = call(west, east, 5*time.Second)
		require.NoError(t, err, "packets get through once the link is back")
		require.Equal(t, 1060*time.Millisecond, took)

		_, err = call(west, "eu-central-1", time.Second)
		require.ErrorContains(t, err, "no emulated Region")

		require.Len(t, seen, 5)
		require.ErrorIs(t, seen[2].Err, context.DeadlineExceeded, "what never arrived is observed too")
		require.Zero(t, seen[2].Status)
		require.Equal(t, "DescribeDBClusters", seen[2].Operation)
		require.Equal(t, west, seen[0].From)
		require.Equal(t, east, seen[0].To)
		require.Equal(t, cloud.RDS, seen[0].Service)
		require.Equal(t, "DescribeDBClusters", seen[0].Operation)
		require.Equal(t, 200, seen[0].Status)
	})
}

// TestHTTPClient uses the transport under net/http's own client.
func TestHTTPClient(t *testing.T) {
	w := start(t, nil)
	client := &http.Client{Transport: w.RoundTripper(west)}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://rds/", strings.NewReader("Action=DescribeDBInstances&Version=2014-10-31"))
	require.NoError(t, err)
	r.Header.Set("Authorization", signature(west, "rds"))
	resp, err := client.Do(r)
	require.NoError(t, err)
	defer func() { require.NoError(t, resp.Body.Close()) }()
	require.Equal(t, 200, resp.StatusCode)
}
