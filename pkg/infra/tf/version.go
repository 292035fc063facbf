package tf

import (
	"encoding/json"
	"regexp"
	"strings"

	"github.com/hashicorp/go-version"
)

// versionForm is a whole version as both flavours print it, such as 1.11.0-rc1.
// go-version alone would complete "1", and take any number of parts and a "v".
var versionForm = regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+([-+][0-9A-Za-z.+-]+)?$`)

// identify reads what a binary answers to `version -json` and to `version`. OpenTofu
// calls its version terraform_version, so only the plain form can tell the two apart; its
// first line is "Terraform v1.11.4". A binary whose answers differ is not known.
func identify(path string, asJSON, plain []byte) (Binary, error) {
	unknown := &VersionError{Path: path, Need: MinVersion}
	first, _, _ := strings.Cut(string(plain), "\n")
	name, number, _ := strings.Cut(strings.TrimSpace(first), " v")
	b := Binary{Path: path, Version: number}
	switch name {
	case "Terraform":
		b.Flavour = Terraform
	case "OpenTofu":
		b.Flavour = OpenTofu
	default:
		return Binary{}, unknown
	}
	var answer struct {
		Version string `json:"terraform_version"`
	}
	if json.Unmarshal(asJSON, &answer) == nil && answer.Version != number {
		return Binary{}, unknown
	}
	have, err := version.NewSemver(number)
	if err != nil || !versionForm.MatchString(number) {
		return Binary{}, unknown
	}
	// A release candidate of the minimum has what the minimum has.
	if have.Core().LessThan(version.Must(version.NewVersion(MinVersion))) {
		return Binary{}, &VersionError{Path: path, Have: number, Need: MinVersion}
	}
	return b, nil
}
