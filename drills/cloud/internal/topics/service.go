// Package topics emulates SNS topics: publishing to them and reading back what
// was published. No message is delivered.
package topics

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/lifeboat-dr/lifeboat/drills/cloud/internal/wire"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// Topic is a topic of one Region.
type Topic struct {
	Region dr.Region
	Name   string
}

// Publication is one accepted message.
type Publication struct {
	At         time.Time
	Region     dr.Region
	TopicARN   string
	MessageID  string
	Subject    string
	Message    string
	Attributes map[string]string // string and number attributes by name
}

// Service is the emulated SNS. It is safe for concurrent use.
type Service struct {
	account string

	mu        sync.Mutex
	topics    map[string]bool // by ARN
	published []Publication
}

// New returns a Service with the given topics.
func New(account string, topics []Topic) *Service {
	s := &Service{account: account, topics: map[string]bool{}}
	for _, t := range topics {
		s.topics[s.ARN(t)] = true
	}
	return s
}

// ARN returns a topic's ARN.
func (s *Service) ARN(t Topic) string {
	return "arn:aws:sns:" + string(t.Region) + ":" + s.account + ":" + t.Name
}

// Published returns every accepted message, oldest first.
func (s *Service) Published() []Publication {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.published)
}

// Serve answers one call.
func (s *Service) Serve(_ context.Context, call wire.Call) ([]byte, error) {
	handlers := map[string]func(wire.Call, *wire.Form, *wire.XML) error{
		"CreateTopic": s.create,
		"Publish":     s.publish,
	}
	handler := handlers[call.Operation]
	if handler == nil {
		return nil, wire.NotEmulated("sns", "operation "+call.Operation)
	}
	form, err := wire.ParseForm(call.Body)
	if err != nil {
		return nil, err
	}
	if v, _ := form.Get("Version"); v != "2010-03-31" {
		return nil, wire.Refuse(400, "NoSuchVersion", "The requested version (%s) of service AmazonSNS does not exist", v)
	}
	x := &wire.XML{}
	x.OpenNS(call.Operation+"Response", "http://sns.amazonaws.com/doc/2010-03-31/")
	x.Open(call.Operation + "Result")
	if err := handler(call, form, x); err != nil {
		return nil, err
	}
	x.Close(call.Operation + "Result")
	x.Close(call.Operation + "Response")
	return x.Bytes(), nil
}

func invalid(format string, args ...any) error {
	return wire.Refuse(400, "InvalidParameter", "Invalid parameter: "+format, args...)
}

// create serves CreateTopic, which returns the topic that already exists.
func (s *Service) create(call wire.Call, f *wire.Form, x *wire.XML) error {
	name, err := f.Required("Name")
	if err == nil {
		err = f.Unknown()
	}
	if err != nil {
		return err
	}
	if ok, _ := regexp.MatchString(`^[A-Za-z0-9_-]{1,256}$`, name); !ok {
		return invalid("Topic Name")
	}
	arn := s.ARN(Topic{Region: call.Region, Name: name})
	s.mu.Lock()
	s.topics[arn] = true
	s.mu.Unlock()
	x.Text("TopicArn", arn)
	return nil
}

// Limits of a message: AWS SNS API reference, Publish.
const (
	maxMessage = 256 << 10
	maxSubject = 100
)

func (s *Service) publish(call wire.Call, f *wire.Form, x *wire.XML) error {
	for _, name := range []string{"PhoneNumber", "MessageStructure", "MessageGroupId", "MessageDeduplicationId"} {
		if v, given := f.Get(name); given && v != "" {
			return wire.NotEmulated("sns", "parameter "+name+" of Publish")
		}
	}
	arn, _ := f.Get("TopicArn")
	if target, given := f.Get("TargetArn"); arn == "" && given {
		arn = target
	}
	message, _ := f.Get("Message")
	subject, hasSubject := f.Get("Subject")
	attributes, err := attributes(f)
	if err == nil {
		err = f.Unknown()
	}
	if err != nil {
		return err
	}
	parts := strings.Split(arn, ":")
	switch {
	case arn == "":
		return invalid("TopicArn or TargetArn Reason: no value for required parameter")
	case len(parts) != 6 || parts[2] != "sns" || parts[3] != string(call.Region):
		return invalid("TopicArn") // also what a topic of another Region gets
	case message == "":
		return invalid("Empty message")
	case len(message) > maxMessage:
		return invalid("Message too long")
	case hasSubject && !goodSubject(subject):
		return invalid("Subject")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.topics[arn] {
		return wire.Refuse(404, "NotFound", "Topic does not exist")
	}
	p := Publication{
		At: time.Now(), Region: call.Region, TopicARN: arn, MessageID: messageID(len(s.published) + 1),
		Subject: subject, Message: message, Attributes: attributes,
	}
	s.published = append(s.published, p)
	x.Text("MessageId", p.MessageID)
	return nil
}

// goodSubject holds the rule of the API reference: ASCII without line breaks
// and control characters, starting with a letter, number or punctuation mark,
// at most 100 characters.
func goodSubject(s string) bool {
	if s == "" || len(s) > maxSubject || s[0] == ' ' {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r >= 0x7f || r == utf8.RuneError })
}

// attributes reads MessageAttributes.
func attributes(f *wire.Form) (map[string]string, error) {
	out := map[string]string{}
	for n := 1; ; n++ {
		prefix := "MessageAttributes.entry." + strconv.Itoa(n)
		name, ok := f.Get(prefix + ".Name")
		if !ok {
			return out, nil
		}
		kind, _ := f.Get(prefix + ".Value.DataType")
		if base, _, _ := strings.Cut(kind, "."); base == "Binary" {
			return nil, wire.NotEmulated("sns", "binary message attributes")
		} else if base != "String" && base != "Number" {
			return nil, wire.Refuse(400, "ParameterValueInvalid", "The message attribute '%s' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.", name)
		}
		value, _ := f.Get(prefix + ".Value.StringValue")
		if value == "" {
			return nil, wire.Refuse(400, "ParameterValueInvalid", "The message attribute '%s' must contain non-empty message attribute value for message attribute type '%s'.", name, kind)
		}
		out[name] = value
	}
}

// messageID numbers messages in the form of a UUID, so that two runs of one
// seed print the same.
func messageID(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }
