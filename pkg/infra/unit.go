package infra

import (
	"slices"
	"strings"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// Kind says what a unit holds.
type Kind string

// The kinds, in apply order. A unit is one Terraform root with its own state, so
// that one Region can be planned and changed while the other is dark.
const (
	// KindState is the bucket pair that holds the state of all units, its own too.
	KindState Kind = "state"
	// KindGlobal is what no single Region owns: keys, roles, global cluster, logins
	// and lease table. IAM and KMS keys are here because IAM's control plane is
	// in us-east-1, and a Region's unit must be plannable without it.
	KindGlobal Kind = "global"
	// KindRegion is one member: network, database, alarms and functions.
	KindRegion Kind = "region"
	// KindWitness is the monitor and the topic of the witness Region.
	KindWitness Kind = "witness"
	// KindLink is what needs both members: peering, routes and DNS.
	KindLink Kind = "link"
)

// Unit is one Terraform root with its own state.
type Unit struct {
	// Name is that of its folder and its state, such as "region-us-east-1".
	Name string
	// Kind says what it holds.
	Kind Kind
	// Region is where its default provider stands.
	Region dr.Region
	// StateRegion is the member Region whose bucket holds its state. It is Region,
	// but for the witness, which has no bucket: its state is in Config.AWSRegion.
	StateRegion dr.Region
	// Regions are all Regions that it touches, Region first.
	Regions []dr.Region
	// Needs names the units whose outputs it takes, in apply order.
	Needs []string
}

// VarName returns the name of the variable in which another unit takes this one's
// outputs, such as "region_us_east_1".
func (u Unit) VarName() string { return strings.ReplaceAll(u.Name, "-", "_") }

// Units returns the units of the deployment in apply order, defaults applied. The
// order holds more than Needs says: the buckets come before every state, and
// AWSRegion's cluster before the one that replicates it.
func (c Config) Units() []Unit {
	members, witness := c.Members(), c.Witness()
	home := members[0]
	units := []Unit{
		{Name: "state", Kind: KindState, Region: home, StateRegion: home, Regions: c.Members()},
		{Name: "global", Kind: KindGlobal, Region: home, StateRegion: home, Regions: c.Topology().Vantages()},
	}
	link := Unit{Name: "link", Kind: KindLink, Region: home, StateRegion: home, Regions: c.Members()}
	for _, r := range members {
		u := Unit{Name: "region-" + string(r), Kind: KindRegion, Region: r, StateRegion: r, Regions: []dr.Region{r}, Needs: []string{"global"}}
		link.Needs = append(link.Needs, u.Name)
		units = append(units, u)
	}
	if witness != "" {
		units = append(units, Unit{
			Name: "witness-" + string(witness), Kind: KindWitness, Region: witness, StateRegion: home,
			Regions: []dr.Region{witness}, Needs: []string{"global"},
		})
	}
	return append(units, link)
}

// DestroyOrder returns the units in the order in which they can be destroyed: the
// reverse of apply order, but the member that replicates before the one that is
// replicated. AWS refuses to delete the writer's cluster while another member is
// left (Aurora User Guide, deleting a global database), and after a failover the
// writer is not where it was created. current is its Region; when it is unknown ("")
// or no member, the reverse of apply order stands.
func DestroyOrder(units []Unit, current dr.Region) []Unit {
	out := slices.Clone(units)
	slices.Reverse(out)
	var at []int
	for i, u := range out {
		if u.Kind == KindRegion {
			at = append(at, i)
		}
	}
	// Members keep their places in the order; only who stands in them changes.
	for n, i := range at {
		last := at[len(at)-1]
		if n < len(at)-1 && out[i].Region == current {
			u := out[i]
			for k := n; k < len(at)-1; k++ {
				out[at[k]] = out[at[k+1]]
			}
			out[last] = u
			break
		}
	}
	return out
}
