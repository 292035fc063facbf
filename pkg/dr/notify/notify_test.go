package notify_test

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/notify"
)

const topicARN = "arn:aws:sns:us-west-2:123456789012:lifeboat"

// wire answers Publish after a number of silences and keeps the requests.
type wire struct {
	silences int
	status   int
	seen     []url.Values
	host     string
	timeouts []time.Duration
}

func (w *wire) Do(r *http.Request) (*http.Response, error) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(raw))
	if err != nil {
		return nil, err
	}
	w.seen, w.host = append(w.seen, form), r.URL.Host
	if deadline, ok := r.Context().Deadline(); ok {
		w.timeouts = append(w.timeouts, time.Until(deadline))
	}
	if len(w.seen) <= w.silences {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	body := "<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>"
	if w.status != http.StatusOK {
		body = "<ErrorResponse><Error><Code>AuthorizationError</Code><Message>no</Message></Error></ErrorResponse>"
	}
	return &http.Response{StatusCode: w.status, Header: http.Header{"Content-Type": {"text/xml"}}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

func topic(t *testing.T, w *wire) *notify.Topic {
	t.Helper()
	client := notify.NewClient(aws.Config{Credentials: aws.AnonymousCredentials{}}, "us-west-2", "", w)
	n, err := notify.New(notify.Config{Region: "us-west-2", ARN: topicARN, Client: client})
	require.NoError(t, err)
	return n
}

func TestNotify(t *testing.T) {
	w := &wire{status: 200}
	require.NoError(t, topic(t, w).Notify(t.Context(), failover.Message{Subject: "failover: the writer moved", Body: "from east – to west"}))
	require.Equal(t, []url.Values{{
		"Action": {"Publish"}, "Version": {"2010-03-31"}, "TopicArn": {topicARN},
		"Subject": {"failover: the writer moved"}, "Message": {"from east – to west"},
	}}, w.seen)
	require.Equal(t, "sns.us-west-2.amazonaws.com", w.host)
}

// What SNS would refuse is made to fit: a message that SNS refuses reaches no person.
func TestNotifyMakesMessagesFit(t *testing.T) {
	long := strings.Repeat("ü", 200_000)
	for name, c := range map[string]struct {
		in            failover.Message
		subject, body func(*testing.T, string)
	}{
		"a long subject": {
			failover.Message{Subject: strings.Repeat("s", 101), Body: "b"},
			func(t *testing.T, s string) { require.Equal(t, strings.Repeat("s", 97)+"...", s) }, nil,
		},
		"a subject of 100": {
			failover.Message{Subject: strings.Repeat("s", 100), Body: "b"},
			func(t *testing.T, s string) { require.Equal(t, strings.Repeat("s", 100), s) }, nil,
		},
		"what is not ASCII": {
			failover.Message{Subject: "\n über\tZürich ", Body: "b"},
			func(t *testing.T, s string) { require.Equal(t, "?ber Z?rich", s) }, nil,
		},
		"nothing": {
			failover.Message{},
			func(t *testing.T, s string) { require.Equal(t, "Lifeboat", s) },
			func(t *testing.T, s string) { require.Equal(t, "Lifeboat", s) },
		},
		"a long body": {
			failover.Message{Subject: "s", Body: "begin" + long + "end"}, nil,
			func(t *testing.T, s string) {
				require.LessOrEqual(t, len(s), 256*1024)
				require.Greater(t, len(s), 255*1024)
				require.True(t, utf8.ValidString(s))
				require.True(t, strings.HasPrefix(s, "begin") && strings.HasSuffix(s, "end"))
				require.Contains(t, s, "bytes cut")
			},
		},
		"a body of exactly the limit": {
			failover.Message{Subject: "s", Body: strings.Repeat("b", 256*1024)}, nil,
			func(t *testing.T, s string) { require.Len(t, s, 256*1024); require.NotContains(t, s, "cut") },
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := &wire{status: 200}
			require.NoError(t, topic(t, w).Notify(t.Context(), c.in))
			if c.subject != nil {
				c.subject(t, w.seen[0].Get("Subject"))
			}
			if c.body != nil {
				c.body(t, w.seen[0].Get("Message"))
			}
		})
	}
}

func TestNotifyTriesTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{status: 200, silences: 1}
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		require.NoError(t, topic(t, w).Notify(ctx, failover.Message{Subject: "s", Body: "b"}))
		require.Equal(t, []time.Duration{750 * time.Millisecond, 750 * time.Millisecond}, w.timeouts)

		w = &wire{status: 403}
		err := topic(t, w).Notify(t.Context(), failover.Message{Subject: "s", Body: "b"})
		require.ErrorContains(t, err, "notify: publish to "+topicARN)
		require.ErrorContains(t, err, "AuthorizationError")
		require.Len(t, w.seen, 2)
	})
}

func TestConfigReportsEverythingAtOnce(t *testing.T) {
	_, err := notify.New(notify.Config{Timeout: -1, ARN: "arn:aws:sqs:us-west-2:1:q"})
	for _, want := range []string{"Region and Client", "no topic's", "Timeout"} {
		require.ErrorContains(t, err, want)
	}
	client := notify.NewClient(aws.Config{}, "us-east-1", "", nil)
	_, err = notify.New(notify.Config{Region: "us-east-1", ARN: topicARN, Client: client})
	require.EqualError(t, err, "notify: config: the topic is in another Region: name one in us-east-1, or no message is delivered when that Region is lost")
}

// A password that was put into the variable of the topic must not be in the log.
func TestNewQuotesNothing(t *testing.T) {
	const hush = "Zq7Xk9-Lw2Vb4"
	client := notify.NewClient(aws.Config{}, "us-east-1", "", nil)
	for _, arn := range []string{hush, "arn:aws:sns:" + hush + ":123456789012:x", "arn:aws:" + hush + ":us-east-1:123456789012:x"} {
		_, err := notify.New(notify.Config{Region: "us-east-1", ARN: arn, Client: client})
		require.Error(t, err, arn)
		require.NotContains(t, err.Error(), hush[:8])
	}
}
