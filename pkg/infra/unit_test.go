package infra_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/infra"
)

func names(units []infra.Unit) []string {
	var out []string
	for _, u := range units {
		out = append(out, u.Name)
	}
	return out
}

func TestUnits(t *testing.T) {
	const east, west, witness dr.Region = "us-east-1", "us-west-2", "us-east-2"
	require.Equal(t, []infra.Unit{
		{Name: "state", Kind: infra.KindState, Region: east, StateRegion: east, Regions: []dr.Region{east, west}},
		{Name: "global", Kind: infra.KindGlobal, Region: east, StateRegion: east, Regions: []dr.Region{east, west, witness}},
		{Name: "region-us-east-1", Kind: infra.KindRegion, Region: east, StateRegion: east, Regions: []dr.Region{east}, Needs: []string{"global"}},
		{Name: "region-us-west-2", Kind: infra.KindRegion, Region: west, StateRegion: west, Regions: []dr.Region{west}, Needs: []string{"global"}},
		{Name: "witness-us-east-2", Kind: infra.KindWitness, Region: witness, StateRegion: east, Regions: []dr.Region{witness}, Needs: []string{"global"}},
		{Name: "link", Kind: infra.KindLink, Region: east, StateRegion: east, Regions: []dr.Region{east, west}, Needs: []string{"region-us-east-1", "region-us-west-2"}},
	}, infra.Config{EnvironmentSuffix: "test"}.Units())
}

func TestUnitsWithoutWitness(t *testing.T) {
	units := edit(func(c *infra.Config) { c.WitnessRegion = infra.NoWitness }).Units()
	require.Equal(t, []string{"state", "global", "region-us-east-1", "region-us-west-2", "link"}, names(units))
	require.Equal(t, []dr.Region{"us-east-1", "us-west-2"}, units[1].Regions)
}

func TestUnitsNeedOnlyEarlierOnes(t *testing.T) {
	var seen []string
	for _, u := range (infra.Config{EnvironmentSuffix: "test"}).Units() {
		require.Subset(t, seen, u.Needs, u.Name)
		seen = append(seen, u.Name)
	}
}

func TestRegionUnitTouchesNoOtherRegion(t *testing.T) {
	for _, u := range (infra.Config{EnvironmentSuffix: "test"}).Units() {
		if u.Kind == infra.KindRegion {
			require.Equal(t, []dr.Region{u.Region}, u.Regions, "it must be plannable while the other Region is dark")
			require.Equal(t, u.Region, u.StateRegion)
		}
	}
}

// Origin fault 20: aurora-primary-… was a lie after one failover.
func TestOriginFault20_UnitsNameNoRole(t *testing.T) {
	for _, u := range (infra.Config{EnvironmentSuffix: "test"}).Units() {
		for _, role := range []string{"primary", "secondary", "writer", "reader", "standby"} {
			require.NotContains(t, strings.ToLower(u.Name+string(u.Kind)), role)
		}
	}
}

func TestVarName(t *testing.T) {
	require.Equal(t, "region_us_east_1", infra.Unit{Name: "region-us-east-1"}.VarName())
	require.Equal(t, "global", infra.Unit{Name: "global"}.VarName())
}

func TestDestroyOrder(t *testing.T) {
	units := infra.Config{EnvironmentSuffix: "test"}.Units()
	for _, tt := range []struct {
		name    string
		current dr.Region
		want    []string
	}{
		{"as created", "us-east-1", []string{"link", "witness-us-east-2", "region-us-west-2", "region-us-east-1", "global", "state"}},
		{"after a failover", "us-west-2", []string{"link", "witness-us-east-2", "region-us-east-1", "region-us-west-2", "global", "state"}},
		{"unknown", "", []string{"link", "witness-us-east-2", "region-us-west-2", "region-us-east-1", "global", "state"}},
		{"no member", "us-east-2", []string{"link", "witness-us-east-2", "region-us-west-2", "region-us-east-1", "global", "state"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := slices.Clone(units)
			require.Equal(t, tt.want, names(infra.DestroyOrder(units, tt.current)))
			require.Equal(t, before, units, "the argument stays as it is")
		})
	}
	require.Empty(t, infra.DestroyOrder(nil, "us-east-1"))
	require.Equal(t, []string{"global", "state"}, names(infra.DestroyOrder(units[:2], "us-west-2")), "a part of the units is enough")
}
