package tf

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
)

// mark is kept beside a saved plan: what exactly was planned, from which inputs.
type mark struct {
	Plan    string `json:"plan_sha256"`
	Inputs  string `json:"inputs_sha256"`
	Destroy bool   `json:"destroy"`
	Changes bool   `json:"changes"`
}

func (m mark) text() ([]byte, error) {
	data, err := json.MarshalIndent(m, "", "  ")
	return append(data, '\n'), err
}

var sha256Form = regexp.MustCompile(`^[0-9a-f]{64}$`)

// parseMark reads what text writes, and nothing else: a mark without "changes" would
// make nothing of an apply and call it done, and "destroy" decides which check a plan has
// to pass. Decoded into a struct, a "Destroy" would overrule it.
func parseMark(data []byte) (mark, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return mark{}, err
	}
	var m mark
	into := map[string]any{"plan_sha256": &m.Plan, "inputs_sha256": &m.Inputs, "destroy": &m.Destroy, "changes": &m.Changes}
	for key, field := range into {
		value, there := fields[key]
		if !there || string(value) == "null" {
			return mark{}, fmt.Errorf("%s is missing", key)
		}
		if err := json.Unmarshal(value, field); err != nil {
			return mark{}, fmt.Errorf("%s: %w", key, err)
		}
	}
	if len(fields) > len(into) {
		return mark{}, errors.New("there is more in it than a mark has")
	}
	if !sha256Form.MatchString(m.Plan) || !sha256Form.MatchString(m.Inputs) {
		return mark{}, errors.New("plan_sha256 and inputs_sha256 are not 64 hexadecimal digits each")
	}
	return m, nil
}
