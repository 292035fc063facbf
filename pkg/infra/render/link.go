package render

import (
	"fmt"

	"github.com/zclconf/go-cty/cty"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// link writes what needs both Regions. AWS calls the two ends of a peering requester
// and accepter: the words say who asked for it, nothing else.
func (b builder) link(r *root) {
	first, second := b.c.AWSRegion, b.c.SecondRegion
	one, two := outputsOf(first), outputsOf(second)
	r.about = fmt.Sprintf("What joins %s and %s: peering, routes and names. A failover changes none of it.", first, second)
	r.providers = append(r.providers,
		provider{"requester", source("var.requester_region")},
		provider{"accepter", source("var.accepter_region")},
	)
	r.variables = append(r.variables,
		variable{"requester_region", "Region at one end of the peering.", "string", cty.StringVal(first.String())},
		variable{"accepter_region", "Region at the other end of the peering.", "string", cty.StringVal(second.String())},
		variable{"dns_zone", "Name of the private zone.", "string", cty.StringVal(b.c.DNSZone)},
		variable{"members", "Regions with a member of the global cluster.", "list(string)", regions(b.c.Members())},
		variable{name: one, about: fmt.Sprintf("Outputs of the unit region-%s.", first), kind: regionOutputs},
		variable{name: two, about: fmt.Sprintf("Outputs of the unit region-%s.", second), kind: regionOutputs},
	)
	r.data = nil
	r.calls = []call{
		{
			name: "link", path: "link",
			providers: []argument{{"aws.requester", "aws.requester"}, {"aws.accepter", "aws.accepter"}},
			arguments: []argument{
				{"name", "var.name"},
				{"requester", end("var.requester_region", one)},
				{"accepter", end("var.accepter_region", two)},
			},
		},
		{name: "dns", path: "dns", arguments: []argument{
			{"name", "var.name"},
			{"zone_name", "var.dns_zone"},
			{"members", "var.members"},
			{"vpc_ids", byRegion(one, two, "vpc_id")},
			{"endpoints", byRegion(one, two, "endpoint")},
			{"role_alarm_names", byTheOther(one, two, "role_alarm_names")},
			{"role_alarm_definitions", byTheOther(one, two, "role_alarm_definitions")},
		}},
	}
	r.outputs = []output{
		{"peering_connection_id", "The peering between the VPCs.", "module.link.peering_connection_id"},
		{"zone_id", "The private zone.", "module.dns.zone_id"},
		{"record_name", "Name that resolves to the cluster that has the writer.", "module.dns.record_name"},
	}
}

// outputsOf names the variable that holds a Region's outputs.
func outputsOf(r dr.Region) string {
	return varName("region-" + r.String())
}

// end is one end of the peering.
func end(region, outputs string) source {
	return source(fmt.Sprintf(`{
		region            = %s
		vpc_id            = var.%[2]s.vpc_id
		vpc_cidr          = var.%[2]s.vpc_cidr
		route_table_ids   = var.%[2]s.route_table_ids
		rds_endpoint      = var.%[2]s.rds_endpoint
		dynamodb_endpoint = var.%[2]s.dynamodb_endpoint
	}`, region, outputs))
}

// byRegion is a map from Region to one output of that Region's unit.
func byRegion(one, two, attribute string) source {
	return source(fmt.Sprintf(`{
		(var.requester_region) = var.%s.%s
		(var.accepter_region)  = var.%s.%s
	}`, one, attribute, two, attribute))
}

// byTheOther is a map from Region to what the other Region's unit says of it: the
// record of a Region follows the alarm of the Region that would survive it.
func byTheOther(one, two, attribute string) source {
	return source(fmt.Sprintf(`{
		(var.requester_region) = var.%s.%[3]s[var.requester_region]
		(var.accepter_region)  = var.%[2]s.%[3]s[var.accepter_region]
	}`, two, one, attribute))
}
