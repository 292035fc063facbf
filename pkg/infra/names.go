package infra

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

var (
	suffixForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,18}[a-z0-9]$`)
	bucketForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,46}[a-z0-9]$`)
	labelForm  = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
)

// roleWords may not stand in a name: one failover would make it a lie, and renaming
// a database means replacing it.
var roleWords = []string{"primary", "secondary", "writer", "reader", "standby"}

func roleWord(name string) string {
	for _, word := range strings.Split(name, "-") {
		if slices.Contains(roleWords, word) {
			return word
		}
	}
	return ""
}

func (p *problems) suffix(s string) {
	const form = "2 to 20 lower-case letters, digits and single hyphens, with a letter or digit at both ends"
	switch {
	case s == "":
		p.add("environment_suffix", "is missing", "give "+form+"; it ends every name, lifeboat-<suffix>")
	case !suffixForm.MatchString(s):
		p.add("environment_suffix", fmt.Sprintf("%q has the wrong form", s), "give "+form)
	case strings.Contains(s, "--"):
		// RDS API, CreateDBCluster: no two consecutive hyphens in an identifier.
		p.add("environment_suffix", fmt.Sprintf("%q has two hyphens in a row, which RDS refuses in a cluster's identifier", s), "give "+form)
	}
	if word := roleWord(s); word != "" {
		p.add("environment_suffix", fmt.Sprintf("%q names the role %s, and one failover makes that a lie", s, word), "name the environment, such as prod")
	}
}

// bucket follows S3's naming rules (S3 User Guide). Dots are refused beyond them,
// because a name with dots doesn't match S3's TLS certificate.
func (p *problems) bucket(base string) {
	const field = "state_bucket"
	if base == "" {
		return // it follows from the suffix, whose absence is reported
	}
	if !bucketForm.MatchString(base) {
		p.add(field, fmt.Sprintf("%q is no base name of a bucket", base), "give 3 to 48 lower-case letters, digits and hyphens, with a letter or digit at both ends; the Region is added")
	}
	for _, prefix := range []string{"xn--", "sthree-", "amzn-s3-demo-"} {
		if strings.HasPrefix(base, prefix) {
			p.add(field, fmt.Sprintf("%q begins with %q, which S3 keeps for itself", base, prefix), "choose another name")
		}
	}
	if word := roleWord(base); word != "" {
		p.add(field, fmt.Sprintf("%q names the role %s, and one failover makes that a lie", base, word), "choose another name; the Region is added")
	}
}

// derived holds the longest names of each kind to AWS's limits. The suffix is short
// enough for every Region that exists; this covers those that don't exist yet.
func (p *problems) derived(c Config) {
	if c.EnvironmentSuffix == "" {
		return
	}
	longest := func(regions []dr.Region) dr.Region {
		return slices.MaxFunc(regions, func(a, b dr.Region) int { return cmp.Compare(len(a), len(b)) })
	}
	member, vantage := longest(c.Members()), longest(c.Topology().Vantages())
	for _, n := range []struct {
		field, what, name string
		limit             int
	}{
		{"state_bucket", "S3 bucket", c.StateBucketIn(member), 63},
		{"environment_suffix", "RDS instance", fmt.Sprintf("%s-%s-%d", c.Name(), member, c.Database.Instances), 63},
		{"environment_suffix", "IAM role", fmt.Sprintf("%s-failover-trigger-%s", c.Name(), member), 64},
		{"environment_suffix", "IAM role", fmt.Sprintf("%s-health-monitor-%s", c.Name(), vantage), 64},
		{"environment_suffix", "Lambda function", c.Name() + "-failover-trigger", 64},
	} {
		if len(n.name) > n.limit {
			p.add(n.field, fmt.Sprintf("%s %q has %d characters, and AWS allows %d", n.what, n.name, len(n.name), n.limit), "shorten it")
		}
	}
}

func (p *problems) zone(name string, members []dr.Region) {
	if name == "" {
		return // it follows from the suffix, whose absence is reported
	}
	labels := strings.Split(name, ".")
	ok := len(labels) >= 2 && len("db.")+len(name) <= 253
	for _, label := range labels {
		ok = ok && labelForm.MatchString(label)
	}
	// A last label of digits would look like an address.
	ok = ok && labels[len(labels)-1][0] >= 'a'
	if !ok {
		p.add("dns_zone", fmt.Sprintf("%q is no name of a zone", name), "give at least two labels of lower-case letters, digits and hyphens, without a dot at the end, 250 characters at most, the last label beginning with a letter")
	}
	if strings.HasSuffix("."+name, ".amazonaws.com") {
		// A private zone hides the public one from its VPCs: no AWS API would answer.
		p.add("dns_zone", fmt.Sprintf("%q is AWS's own", name), "a private zone of that name would hide AWS's endpoints; choose another")
	}
	for _, r := range members {
		// Module link makes this zone in the other member's VPC, with the name dynamodb in it.
		if lease := r.String() + ".lifeboat.internal"; strings.HasSuffix("."+name, "."+lease) {
			p.add("dns_zone", fmt.Sprintf("%q is or hides the zone %s", name, lease), "the functions find the other Region's lease table there; choose another")
		}
	}
}
