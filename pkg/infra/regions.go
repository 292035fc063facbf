package infra

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

var regionForm = regexp.MustCompile(`^[a-z]{2}(-[a-z]{2,9}){1,2}-[1-9]$`)

// regionSets are the Region sets of DynamoDB's multi-Region strong consistency: all
// three replicas, or two and the witness, must be in one of them. AWS documentation
// as of late 2025 (DynamoDB API, CreateGlobalTableWitnessGroupMemberAction). Only
// the US set was also read in the Developer Guide of April 2026.
var regionSets = [][]dr.Region{
	{"us-east-1", "us-east-2", "us-west-2"},
	{"eu-west-1", "eu-west-2", "eu-west-3", "eu-central-1"},
	{"ap-northeast-1", "ap-northeast-2", "ap-northeast-3"},
}

// otherPartitions are the isolated parts of AWS, by their Regions' prefixes. The
// modules write ARNs of the partition "aws" and endpoints under amazonaws.com.
var otherPartitions = []string{"cn-", "us-gov-", "us-iso", "eu-iso", "eusc-"}

func (p *problems) regions(c Config) {
	formed := true
	for _, f := range []struct {
		field  string
		region dr.Region
	}{{"aws_region", c.AWSRegion}, {"second_region", c.SecondRegion}, {"witness_region", c.WitnessRegion}} {
		if f.field == "witness_region" && f.region == NoWitness {
			continue
		}
		if !regionForm.MatchString(string(f.region)) {
			formed = false
			p.add(f.field, fmt.Sprintf("%q is no Region", f.region), `give its code, such as "us-east-1"`)
		}
		if slices.ContainsFunc(otherPartitions, func(prefix string) bool { return strings.HasPrefix(string(f.region), prefix) }) {
			formed = false
			p.add(f.field, fmt.Sprintf("%s is in a partition of its own", f.region), "give a Region of the standard partition: Lifeboat's modules are written for that")
		}
	}
	if !formed {
		return // what follows compares the Regions
	}
	if c.AWSRegion == c.SecondRegion {
		p.add("second_region", fmt.Sprintf("%s is aws_region too", c.SecondRegion), "a Region can't stand in for itself; name another one")
		return
	}
	if witness := c.Witness(); witness != "" {
		p.witness(c.Members(), witness)
	}
}

func (p *problems) witness(members []dr.Region, witness dr.Region) {
	if slices.Contains(members, witness) {
		p.add("witness_region", fmt.Sprintf("%s is a member too", witness), "the witness must be a third Region; "+witnessHint(members))
		return
	}
	for _, set := range regionSets {
		if slices.Contains(set, members[0]) && slices.Contains(set, members[1]) && slices.Contains(set, witness) {
			return
		}
	}
	p.add("witness_region", fmt.Sprintf("%s, %s and %s are not of one DynamoDB Region set for multi-Region strong consistency", members[0], members[1], witness), witnessHint(members))
}

// witnessHint names the Regions that could be witness of the members.
func witnessHint(members []dr.Region) string {
	for _, set := range regionSets {
		if slices.Contains(set, members[0]) && slices.Contains(set, members[1]) {
			var free []string
			for _, r := range set {
				if !slices.Contains(members, r) {
					free = append(free, string(r))
				}
			}
			return fmt.Sprintf("use %s, or %q and what dr.Policy.NoWitness gives up", strings.Join(free, " or "), NoWitness)
		}
	}
	sets := make([]string, len(regionSets))
	for i, set := range regionSets {
		sets[i] = fmt.Sprint(set)
	}
	return fmt.Sprintf("no Region can be the witness of these members; choose them from one set (%s), or use %q and what dr.Policy.NoWitness gives up", strings.Join(sets, ", "), NoWitness)
}
