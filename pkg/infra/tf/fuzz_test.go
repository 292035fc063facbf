package tf_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/hashicorp/go-version"
	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/infra/tf"
)

// FuzzMark reads any mark of a saved plan. It is an error, or all that was planned is
// there; and what is written beside a plan reads back.
func FuzzMark(f *testing.F) {
	digest := strings.Repeat("0123456789abcdef", 4)
	good, err := tf.MarkText(digest, digest, true, true)
	require.NoError(f, err)
	for _, text := range []string{
		string(good), string(good) + "{}", string(good[:len(good)/2]), ``, `null`, `{}`, `[]`, `"mark"`,
		`{"plan_sha256":"` + digest + `","inputs_sha256":"` + digest + `","destroy":false}`,
		`{"plan_sha256":"` + digest + `","inputs_sha256":"` + digest + `","destroy":null,"changes":true}`,
		`{"plan_sha256":"` + digest + `","inputs_sha256":"","destroy":false,"changes":true}`,
		`{"plan_sha256":"` + digest + `","inputs_sha256":"` + digest + `","destroy":false,"changes":true,"format":2}`,
		`{"plan_sha256":"` + digest + `","inputs_sha256":"` + digest + `","destroy":false,"changes":true,"Destroy":true}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := tf.ParseMark(text)
		if err != nil {
			require.Zero(t, got)
			return
		}
		require.Regexp(t, "^[0-9a-f]{64}$", got.Plan)
		require.Regexp(t, "^[0-9a-f]{64}$", got.Inputs)
		var fields map[string]any // the oracle
		require.NoError(t, json.Unmarshal(text, &fields))
		require.Equal(t, map[string]any{"plan_sha256": got.Plan, "inputs_sha256": got.Inputs, "destroy": got.Destroy, "changes": got.Changes}, fields)

		written, err := tf.MarkText(got.Plan, got.Inputs, got.Destroy, got.Changes)
		require.NoError(t, err)
		again, err := tf.ParseMark(written)
		require.NoError(t, err)
		require.Equal(t, got, again)
	})
}

// FuzzVersion lets a binary answer anything. It is a terraform or a tofu that is new
// enough and says the same twice, or it is refused with its path.
func FuzzVersion(f *testing.F) {
	for _, plain := range []string{
		"Terraform v1.11.4\non linux_amd64\n", "OpenTofu v1.11.0\non linux_amd64\n", "Terraform v1.11.0-rc1\n", "Terraform v1.10.5\n", "Terraform v0.11.14\n",
		"Terraform v1.12\n", "Terraform v2\n", "Terraform v1.11.4.1\n", "Terraform vv1.11.4\n", "Terraform v1.11.4+meta\n", "Terraform v-1.11.4\n", "Terragrunt v1.11.4\n",
		"Terraform v99999999999999999999.0.0\n", "terraform v1.11.4", "Terraform v1.11.4\x1b[2J\n", "hello", "", "\nTerraform v1.11.4", "Terraform v1.11.4\r\n",
	} {
		number := strings.TrimPrefix(strings.Fields(plain + " x x")[1], "v")
		f.Add([]byte(`{"terraform_version":"`+number+`","platform":"linux_amd64"}`), []byte(plain))
		f.Add([]byte(nil), []byte(plain))
		f.Add([]byte(`{"terraform_version":"1.99.0"}`), []byte(plain))
		f.Add([]byte(`{}`), []byte(plain))
	}
	least := version.Must(version.NewVersion(tf.MinVersion))
	f.Fuzz(func(t *testing.T, asJSON, plain []byte) {
		b, err := tf.Identify("/bin/terraform", asJSON, plain)
		if err != nil {
			require.Zero(t, b)
			var refused *tf.VersionError
			require.ErrorAs(t, err, &refused)
			require.Equal(t, "/bin/terraform", refused.Path)
			require.False(t, strings.ContainsFunc(err.Error(), unicode.IsControl), "%q", err)
			return
		}
		require.Equal(t, "/bin/terraform", b.Path)
		have, err := version.NewSemver(b.Version)
		require.NoError(t, err)
		require.True(t, have.Core().GreaterThanOrEqual(least), b.Version)
		require.Regexp(t, `^[0-9]+\.[0-9]+\.[0-9]+`, b.Version)
		first, _, _ := strings.Cut(string(plain), "\n")
		name := map[tf.Flavour]string{tf.Terraform: "Terraform", tf.OpenTofu: "OpenTofu"}[b.Flavour]
		require.Equal(t, name+" v"+b.Version, strings.TrimSpace(first))
		var fields map[string]any
		if json.Unmarshal(asJSON, &fields) == nil {
			said := false
			for key, value := range fields {
				said = said || strings.EqualFold(key, "terraform_version") && value == b.Version
			}
			require.True(t, said, "%s", asJSON)
		}
	})
}

// FuzzLock reads any refusal of a lock: what terraform prints of a lock reads back, and
// nothing that the lock's holder has written steers a terminal or the shell that the
// command is copied into.
func FuzzLock(f *testing.F) {
	for _, detail := range []string{
		"", "no such host", "Lock Info:", "Lock Info:\n  ID:        5f3c\n  Info:      \n  ID: $(reboot)\n", "Lock Info:\n  ID: ;reboot\n  Who: \x1b[2Jroot@x\n",
		"Lock Info:\n  ID: -force\n  Created: yesterday\n", "Error message: x\nLock Info:\n  ID:        a96c12be-d3ca-bfe0-19d0-984f65236780\n  Created:   2026-11-22 21:43:12.562993396 +0000 UTC\n",
	} {
		f.Add(detail, "ada@laptop", int64(1795383792562993396))
	}
	f.Fuzz(func(t *testing.T, detail, who string, created int64) {
		got := tf.Locked(detail)
		require.Equal(t, strings.Contains(detail, "Lock Info:"), got != nil)
		if got != nil {
			got.Unit, got.Dir = "global", "/d"
			require.False(t, strings.ContainsFunc(got.Error(), unicode.IsControl), "%q", got)
			_, command, shown := strings.Cut(got.Error(), "force-unlock ")
			require.Equal(t, got.ID != "", shown)
			require.Regexp(t, `^([A-Za-z0-9][A-Za-z0-9-]*)?$`, command)
		}

		at := time.Unix(0, created).UTC()
		got = tf.Locked(fmt.Sprintf("Error message: x\nLock Info:\n  ID:        %s\n  Path:      p\n  Operation: OperationTypeApply\n  Who:       %s\n  Version:   1.11.4\n  Created:   %s\n  Info:      %s\n\n\nTerraform acquires a state lock",
			"a96c12be", strings.Map(line, who), at, detail))
		require.Equal(t, "a96c12be", got.ID, "what the holder has noted is no other lock")
		require.Equal(t, strings.TrimSpace(strings.Map(line, who)), got.Who)
		require.Equal(t, "OperationTypeApply", got.Operation)
		require.True(t, got.Created.Equal(at), "%v %v", got.Created, at)
	})
}

// line leaves what stands in one line.
func line(r rune) rune {
	if unicode.IsControl(r) {
		return -1
	}
	return r
}

// FuzzStream writes any output of terraform in any pieces. They make no difference, and
// what went well is told by a summary without errors.
func FuzzStream(f *testing.F) {
	files, err := filepath.Glob("testdata/*.jsonl")
	require.NoError(f, err)
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(data, uint16(7))
	}
	f.Add([]byte(`{"type":"log","state":{}}`), uint16(1))
	f.Fuzz(func(t *testing.T, text []byte, every uint16) {
		whole, finished := tf.Told(text, func(int) bool { return false })
		pieces, same := tf.Told(text, func(i int) bool { return i%(int(every)+1) == 0 })
		require.Equal(t, whole, pieces)
		require.Equal(t, finished, same)
		summary, failed := false, false
		for event, err := range tf.Events(bytes.NewReader(text)) {
			switch e := event.(type) {
			case tf.Summary:
				summary = e.Operation != "plan"
			case tf.Diagnostic:
				failed = failed || e.Severity == "error"
			}
			if format := (*tf.FormatError)(nil); errors.As(err, &format) {
				return // Events stops there, and a stream refuses
			}
		}
		require.Equal(t, summary && !failed, finished)
	})
}
