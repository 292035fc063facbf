package event

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// MaxSize bounds a payload, in bytes. Lambda itself takes 1 MB of an asynchronous
// event; an alarm on one metric is below 4 kB.
const MaxSize = 64 << 10

// mostErrors is how many keys a refusal names: it stays readable whatever was sent.
const mostErrors = 4

// Parse reads a payload, or reports what is wrong with it. It is pure.
func Parse(payload []byte) (Request, error) {
	if len(payload) > MaxSize {
		return Request{}, fmt.Errorf("event: the payload has %d bytes, %d are taken: send a request or an alarm", len(payload), MaxSize)
	}
	fields, order, err := object(payload)
	if err != nil {
		return Request{}, fmt.Errorf("event: read the payload: %w", err)
	}
	var w Request
	if _, alarmed := fields["alarmArn"]; alarmed {
		w, err = fromAlarm(payload)
	} else {
		w, err = fromFields(fields, order)
	}
	if err == nil {
		err = w.Validate()
	}
	if err != nil {
		return Request{}, err
	}
	return w, nil
}

// object takes a JSON object apart: its values by key, and its keys in order. A key
// that comes twice is refused, because two readers would believe different ones.
func object(data []byte) (map[string]json.RawMessage, []string, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, nil, errors.New("send a JSON object")
	}
	fields, order := make(map[string]json.RawMessage), []string(nil)
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return nil, nil, err
		}
		key, _ := t.(string) // the decoder lets nothing else be a key
		if _, twice := fields[key]; twice {
			return nil, nil, fmt.Errorf("key %d %s comes twice", len(order)+1, size(key))
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, nil, err
		}
		fields[key], order = value, append(order, key)
	}
	if _, err := dec.Token(); err != nil {
		return nil, nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, nil, errors.New("something follows the object")
	}
	return fields, order, nil
}

// fill decodes the fields of an object into targets by key, and refuses every key that
// has none.
func fill(fields map[string]json.RawMessage, order []string, targets map[string]any) error {
	var errs []error
	for at, key := range order {
		if len(errs) == mostErrors {
			errs = append(errs, errors.New("event: and more is wrong"))
			break
		}
		target, known := targets[key]
		if !known {
			errs = append(errs, fmt.Errorf("event: key %d %s is unknown: use %q", at+1, size(key), keysOf(targets)))
			continue
		}
		if empty := string(fields[key]); empty == "null" || empty == `""` {
			errs = append(errs, fmt.Errorf("event: %s is %s: leave it out", key, empty))
			continue
		}
		if err := json.Unmarshal(fields[key], target); err != nil {
			var wrong *json.UnmarshalTypeError
			if errors.As(err, &wrong) {
				kind, _, _ := strings.Cut(wrong.Value, " ") // a number is followed by its digits
				err = fmt.Errorf("%s doesn't fit", kind)
			}
			errs = append(errs, fmt.Errorf("event: %s: %w", key, err))
		}
	}
	return errors.Join(errs...)
}

func keysOf(targets map[string]any) []string {
	keys := make([]string, 0, len(targets))
	for key := range targets {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func fromFields(fields map[string]json.RawMessage, order []string) (Request, error) {
	var w Request
	err := fill(fields, order, map[string]any{
		"mode": &w.Mode, string(target): &w.Target, string(execution): &w.Execution, string(question): &w.Question,
		string(span): &w.For, string(by): &w.By, string(reason): &w.Reason,
	})
	return w, err
}

// alarm is the part of an alarm's event that is looked at (CloudWatch user guide,
// "Invoke a Lambda function from an alarm", "Event object sent from CloudWatch to
// Lambda").
type alarm struct {
	Source   string `json:"source"`
	AlarmArn string `json:"alarmArn"`
	Data     struct {
		Name  string `json:"alarmName"`
		State struct {
			Value string `json:"value"`
		} `json:"state"`
	} `json:"alarmData"`
}

// fromAlarm takes an alarm for the request to look whether a failover to its Region is
// due: module failover raises it in the Region that has found the other one impaired.
func fromAlarm(payload []byte) (Request, error) {
	var a alarm
	if err := json.Unmarshal(payload, &a); err != nil {
		return Request{}, errors.New("event: read the alarm: it has not the form that CloudWatch sends")
	}
	name, err := arn.Parse(a.AlarmArn)
	if err != nil || name.Service != "cloudwatch" || a.Source != "aws.cloudwatch" {
		return Request{}, fmt.Errorf("event: alarmArn %s and source %s are not CloudWatch's: only a CloudWatch alarm is taken", size(a.AlarmArn), size(a.Source))
	}
	if a.Data.State.Value != "ALARM" {
		return Request{}, fmt.Errorf("event: the alarm is not in state ALARM: wire the function to the alarm's ALARM action only")
	}
	return Request{Mode: Failover, Target: dr.Region(name.Region), Reason: "alarm " + short(a.Data.Name)}, nil
}
