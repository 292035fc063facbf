package boot

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// policyProblem says why a text is no policy, without its values, which the decoder's
// error may quote.
func policyProblem(given []byte, err error) string {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) || !json.Valid(given) {
		at := ""
		if syntax != nil {
			at = fmt.Sprintf(" at byte %d", syntax.Offset)
		}
		return "is no JSON" + at + `: give an object, such as {"lease_ttl":"6s"}`
	}
	var problems []string
	for at, f := range fields(given) {
		switch {
		case json.Unmarshal(one(f.key, []byte("null")), new(dr.Policy)) != nil:
			problems = append(problems, fmt.Sprintf("has entry %d, which is none of a policy: names are like lease_ttl", at+1))
		case json.Unmarshal(one(f.key, f.value), new(dr.Policy)) != nil:
			problems = append(problems, fmt.Sprintf(`has a value of %s that is none: durations are like "1.5s", limits are whole numbers`, strings.ToLower(f.key)))
		}
	}
	if len(problems) == 0 {
		return `is no JSON object, such as {"lease_ttl":"6s"}`
	}
	return strings.Join(problems, ", and ")
}

// field is an entry of a JSON object.
type field struct {
	key   string
	value json.RawMessage
}

// fields returns an object's entries in their order, nil when it is none.
func fields(object []byte) []field {
	dec := json.NewDecoder(bytes.NewReader(object))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil
	}
	var all []field
	for dec.More() {
		key, err := dec.Token()
		var f field
		f.key, _ = key.(string)
		if err != nil || dec.Decode(&f.value) != nil {
			return nil
		}
		all = append(all, f)
	}
	return all
}

// one returns an object with one entry.
func one(key string, value []byte) []byte {
	name, _ := json.Marshal(key) // a string
	return fmt.Appendf(nil, "{%s:%s}", name, value)
}

// without returns a text without the strings among a policy's values.
func without(given []byte, text string) string {
	for dec := json.NewDecoder(bytes.NewReader(given)); ; {
		t, err := dec.Token()
		if err != nil {
			return text
		}
		if value, is := t.(string); is && value != "" {
			text = strings.ReplaceAll(text, strconv.Quote(value), "(the value given)")
		}
	}
}
