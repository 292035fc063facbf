package notify

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// Config says whom to tell.
type Config struct {
	// Region is the process's own. The topic must be there: a topic in the lost Region
	// would deliver nothing.
	Region dr.Region
	// ARN is the topic's.
	ARN string
	// Client is a client of that Region.
	Client Publisher
	// Timeout is the deadline of one attempt; there are two. Default 1.5 s, and
	// never more than its share of the call's own deadline.
	Timeout time.Duration
}

// Validate reports everything that is wrong with the configuration at once.
func (c Config) Validate() error {
	var errs []error
	if c.Region == "" || c.Client == nil {
		errs = append(errs, errors.New("notify: config: Region and Client are required"))
	}
	if a, err := arn.Parse(c.ARN); err != nil || a.Service != "sns" {
		errs = append(errs, fmt.Errorf("notify: config: ARN is no topic's: give arn:aws:sns:REGION:ACCOUNT:NAME (it has %d characters)", len(c.ARN)))
	} else if c.Region != "" && a.Region != c.Region.String() {
		errs = append(errs, fmt.Errorf("notify: config: the topic is in another Region: name one in %s, or no message is delivered when that Region is lost", c.Region))
	}
	if c.Timeout < 0 {
		errs = append(errs, fmt.Errorf("notify: config: Timeout %v is negative: give a positive duration, or 0 for 1.5s", c.Timeout))
	}
	return errors.Join(errs...)
}

// Topic is an SNS topic. It implements failover.Notifier.
type Topic struct{ cfg Config }

var _ failover.Notifier = (*Topic)(nil)

// New returns a topic, or everything that its configuration lacks.
func New(cfg Config) (*Topic, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 1500 * time.Millisecond
	}
	return &Topic{cfg}, nil
}

// The limits of a message (SNS API reference, Publish).
const (
	maxSubject = 100        // characters, ASCII, without line breaks
	maxBody    = 256 * 1024 // bytes
)

// Notify implements failover.Notifier. It tries twice: a message that comes twice is
// better than none. What SNS would refuse is replaced or cut, and a cut is marked.
func (t *Topic) Notify(ctx context.Context, m failover.Message) error {
	in := &sns.PublishInput{
		TopicArn: aws.String(t.cfg.ARN), Subject: aws.String(subject(m.Subject)), Message: aws.String(body(m)),
	}
	var err error
	for left := 2; left > 0; left-- {
		if err = t.publish(ctx, in, left); err == nil {
			return nil
		}
		if ctx.Err() != nil {
			break
		}
	}
	return fmt.Errorf("notify: publish to %s: %w", t.cfg.ARN, err)
}

func (t *Topic) publish(ctx context.Context, in *sns.PublishInput, left int) error {
	timeout := t.cfg.Timeout
	if deadline, ok := ctx.Deadline(); ok {
		timeout = min(timeout, time.Until(deadline)/time.Duration(left))
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	_, err := t.cfg.Client.Publish(ctx, in)
	return err
}

// subject makes a subject that SNS takes: printable ASCII that begins with a letter,
// a digit or a punctuation mark.
func subject(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r < ' ':
			return ' '
		case r > '~':
			return '?'
		}
		return r
	}, s)
	if s = strings.TrimSpace(s); s == "" {
		s = "Lifeboat"
	}
	if len(s) > maxSubject {
		s = s[:maxSubject-3] + "..."
	}
	return s
}

// body cuts a text in the middle, where a report is least telling: it begins with
// what happened and ends with what to do. An empty one SNS would refuse.
func body(m failover.Message) string {
	s := strings.ToValidUTF8(m.Body, "?")
	if s == "" {
		s = subject(m.Subject)
	}
	if len(s) <= maxBody {
		return s
	}
	mark := fmt.Sprintf("\n[... %d bytes cut ...]\n", len(s)-maxBody)
	half := (maxBody - len(mark) - 8) / 2
	return strings.ToValidUTF8(s[:half], "") + mark + strings.ToValidUTF8(s[len(s)-half:], "")
}
