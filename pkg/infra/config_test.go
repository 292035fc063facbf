package infra_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/infra"
)

// edit returns a valid Config with one thing changed.
func edit(change func(*infra.Config)) infra.Config {
	c := infra.Config{EnvironmentSuffix: "test"}
	change(&c)
	return c
}

func TestDefaults(t *testing.T) {
	on := true
	want := infra.Config{
		EnvironmentSuffix: "test",
		AWSRegion:         "us-east-1",
		SecondRegion:      "us-west-2",
		WitnessRegion:     "us-east-2",
		StateBucket:       "lifeboat-test-state",
		Production:        &on,
		Network:           infra.Network{CIDR: "10.0.0.0/16", SecondCIDR: "10.1.0.0/16"},
		Database: infra.Database{
			EngineVersion: "8.0.mysql_aurora.3.10.4", Name: "transactions", MasterUsername: "lifeboatadmin",
			MinACU: 0.5, MaxACU: 16, Instances: 2, BackupRetentionDays: 7,
			BackupWindow: "03:00-04:00", MaintenanceWindow: "mon:04:00-mon:05:00", DeletionProtection: &on,
		},
		Thresholds:       infra.Thresholds{ReplicationLag: 500 * time.Millisecond, CPUPercent: 80, Connections: 100},
		DNSZone:          "test.lifeboat.internal",
		LogRetentionDays: 365,
		Functions:        infra.Functions{Architecture: "arm64", Directory: "dist"},
		Policy:           dr.DefaultPolicy(),
	}
	got := infra.Config{EnvironmentSuffix: "test"}.WithDefaults()
	require.Equal(t, want, got)
	require.NoError(t, got.Validate())
	require.Equal(t, got, got.WithDefaults(), "defaults on defaults change nothing")
}

func TestDefaultsDoNotInventNamesWithoutSuffix(t *testing.T) {
	c := infra.Config{}.WithDefaults()
	require.Empty(t, c.StateBucket)
	require.Empty(t, c.DNSZone)
}

// Origin fault 28: aws_region was accepted and ignored.
func TestOriginFault28_AWSRegionIsNotIgnored(t *testing.T) {
	c := infra.Config{EnvironmentSuffix: "test", AWSRegion: "eu-west-1", SecondRegion: "eu-central-1", WitnessRegion: "eu-west-3"}
	require.NoError(t, c.Validate())
	require.Equal(t, []dr.Region{"eu-west-1", "eu-central-1"}, c.Members())
	require.Equal(t, dr.Topology{GlobalCluster: "lifeboat-test", Members: c.Members(), Witness: "eu-west-3"}, c.Topology())
	require.Equal(t, "lifeboat-test-state-eu-central-1", c.StateBucketIn("eu-central-1"))
	for _, u := range c.Units() {
		require.NotContains(t, u.Name, "us-")
		for _, r := range u.Regions {
			require.Contains(t, r.String(), "eu-", u.Name)
		}
	}
}

// Origin fault 28: CIDRs, Regions and sizes were hard-coded. Every field that is set
// must survive the defaults.
func TestOriginFault28_DefaultsNeverOverwrite(t *testing.T) {
	want := full(t)
	require.Equal(t, want, want.WithDefaults())
}

func TestProductionGuidesDeletionProtection(t *testing.T) {
	on, off := true, false
	for _, tt := range []struct {
		name                   string
		production, protection *bool
		want                   bool
	}{
		{"production protects", nil, nil, true},
		{"off in development", &off, nil, false},
		{"overridden in production", &on, &off, false},
		{"kept in development", &off, &on, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := edit(func(c *infra.Config) { c.Production, c.Database.DeletionProtection = tt.production, tt.protection })
			require.Equal(t, tt.want, *c.WithDefaults().Database.DeletionProtection)
			require.NoError(t, c.Validate())
		})
	}
}

func TestWithDefaultsSharesNothing(t *testing.T) {
	on := true
	c := infra.Config{
		EnvironmentSuffix: "test", Production: &on, DefaultTags: map[string]string{"Owner": "a"}, Notifications: []string{"a@example.com"},
		Database: infra.Database{DeletionProtection: &on},
	}
	d := c.WithDefaults()
	*d.Production, *d.Database.DeletionProtection = false, false
	d.DefaultTags["Owner"], d.Notifications[0] = "b", "b@example.com"
	require.True(t, on)
	require.Equal(t, "a", c.DefaultTags["Owner"])
	require.Equal(t, "a@example.com", c.Notifications[0])
}

func TestWitness(t *testing.T) {
	c := edit(func(c *infra.Config) { c.WitnessRegion = infra.NoWitness })
	require.NoError(t, c.Validate())
	require.Empty(t, c.Witness())
	require.Equal(t, infra.NoWitness, c.WithDefaults().WitnessRegion, "the default doesn't bring it back")
	require.Equal(t, []dr.Region{"us-east-1", "us-west-2"}, c.Topology().Vantages())
	require.Equal(t, dr.Region("us-east-2"), infra.Config{}.Witness())
}
