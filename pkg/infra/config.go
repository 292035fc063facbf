package infra

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// NoWitness as [Config.WitnessRegion] means none: the lease is then no lock, and
// [dr.Policy.NoWitness] says what is given up for it.
const NoWitness dr.Region = "none"

// EnvironmentTag is on everything of a deployment, with the suffix as its value:
// everything is found by it.
const EnvironmentTag = "lifeboat:environment"

// Architectures of the functions, by Lambda's names.
const (
	ARM64 = "arm64"
	X8664 = "x86_64"
)

// Config describes a deployment over two Regions. The zero value of each field
// means its default; [Config.WithDefaults] fills them in and [Config.Validate]
// judges the filled Config. The key of a field in a file is its name in
// snake_case.
type Config struct {
	// EnvironmentSuffix (environment_suffix) ends the name of everything that is
	// made, "lifeboat-<suffix>". Required: 2 to 20 lower-case letters, digits and
	// single hyphens, with a letter or digit at both ends. It must name no role,
	// such as primary: the first failover would make that a lie.
	EnvironmentSuffix string
	// AWSRegion (aws_region) is the member Region in which state, global cluster
	// and secret are managed and whose cluster is created first. Default us-east-1.
	// It says nothing about where the writer is later.
	AWSRegion dr.Region
	// SecondRegion (second_region) is the other member Region. Default us-west-2.
	SecondRegion dr.Region
	// WitnessRegion (witness_region) is the third Region, which gives the lease its
	// majority and has a vantage of its own. Default us-east-2; [NoWitness] goes
	// without. With the members it must belong to one of DynamoDB's Region sets for
	// multi-Region strong consistency.
	WitnessRegion dr.Region
	// AccountID (account_id) is the AWS account, 12 digits, quoted in a file. Empty
	// is enough to render; nothing is applied without.
	AccountID string
	// StateBucket (state_bucket) is the base name of the bucket pair for Terraform's
	// state, "<base>-<region>". Default "lifeboat-<suffix>-state". Lower-case
	// letters, digits and hyphens, 3 to 48 of them: a bucket has at most 63 characters
	// (S3 User Guide, bucket naming rules) and the longest Region 14.
	StateBucket string
	// DefaultTags (default_tags) are put on everything that AWS can tag. At most 48,
	// because AWS allows 50, and Name and [EnvironmentTag] are added; keys of 1 to 128
	// characters without the prefix "aws:", values of up to 256 (Tagging AWS Resources
	// User Guide).
	DefaultTags map[string]string
	// Production (production) asks for at least two instances per Region, and turns
	// deletion protection on unless Database.DeletionProtection says otherwise.
	// Default true.
	Production *bool
	// Network (network) is the address plan.
	Network Network
	// Database (database) is the Aurora global database.
	Database Database
	// Thresholds (thresholds) are those of the alarms.
	Thresholds Thresholds
	// Notifications (notifications) are the e-mail addresses that alerts go to. Each
	// must confirm its subscription. Default none: then alarms reach no person.
	Notifications []string
	// DNSZone (dns_zone) is the private zone whose record "db" follows the database.
	// Default "<suffix>.lifeboat.internal".
	DNSZone string
	// LogRetentionDays (log_retention_days) is how long every log group keeps its
	// events, in days. Default 365; one of CloudWatch's values, 1 to 3653
	// (CloudWatch Logs API, PutRetentionPolicy).
	LogRetentionDays int
	// Functions (functions) are the Lambdas.
	Functions Functions
	// Policy (policy) bounds detection, fencing, data loss and automation. In a file
	// its durations are written with a unit, such as "2s".
	Policy dr.Policy
}

// Network is the address plan. The two ranges must not overlap, because the VPCs
// are peered.
type Network struct {
	// CIDR (network.cidr) is the range of the VPC in AWSRegion: private (RFC 1918),
	// /16 to /22, with no host bits set. Default 10.0.0.0/16.
	CIDR string
	// SecondCIDR (network.second_cidr) is that of SecondRegion. Default 10.1.0.0/16.
	SecondCIDR string
}

// Database describes both members of the global database. They are alike, because
// each must be able to carry the other's load.
type Database struct {
	// EngineVersion (database.engine_version) is that of Aurora MySQL, such as
	// "8.0.mysql_aurora.3.10.4": the same patch in both Regions, because Aurora
	// MySQL fails over to no other (Aurora User Guide, upgrading a global
	// database). At least 3.06, which brought mysql.rds_set_read_only, the fence.
	// Default [DefaultEngineVersion], of the long-term support line 3.10.
	EngineVersion string
	// Name (database.name) is the database that is created. Default "transactions".
	// 1 to 64 letters, digits and underscores, a letter first.
	Name string
	// MasterUsername (database.master_username) is the master user. Default
	// "lifeboatadmin". 1 to 16 letters and digits, a letter first (RDS API,
	// CreateDBCluster), not admin (Security Hub control RDS.24), and not lifeboat,
	// the functions' own user: the fence doesn't bind the master user.
	MasterUsername string
	// MinACU (database.min_acu) is the least capacity of an instance in Aurora
	// capacity units, 2 GiB of memory each. Default 0.5, in half steps up to 256.
	// AWS recommends 8 for the writer's Region (Aurora User Guide, setting the
	// capacity range); either Region can become it.
	MinACU float64
	// MaxACU (database.max_acu) is the largest capacity, the same in both Regions.
	// Default 16; 1 to 256 in half steps and no less than MinACU.
	MaxACU float64
	// Instances (database.instances) is how many instances each Region has. Default
	// 2; 1 to 16, and at least 2 in production.
	Instances int
	// BackupRetentionDays (database.backup_retention_days) is how long automated
	// backups are kept, in days. Default 7; 1 to 35. The snapshot that Aurora takes
	// of the lost volume after a failover lives no longer (Aurora User Guide,
	// disaster recovery).
	BackupRetentionDays int
	// BackupWindow (database.backup_window) is a daily "hh:mm-hh:mm" in UTC of at
	// least 30 minutes, clear of MaintenanceWindow. Default 03:00-04:00.
	BackupWindow string
	// MaintenanceWindow (database.maintenance_window) is a weekly
	// "ddd:hh:mm-ddd:hh:mm" in UTC, 30 minutes to 24 hours. Default
	// mon:04:00-mon:05:00.
	MaintenanceWindow string
	// DeletionProtection (database.deletion_protection) keeps clusters, global
	// cluster and lease table from being deleted. Default: what Production says.
	DeletionProtection *bool
}

// Thresholds are those of the alarms. They call people and never fail over: load
// would follow to the colder Region, and lag means that a failover loses more.
type Thresholds struct {
	// ReplicationLag (thresholds.replication_lag) is the lag of the member that is
	// replicated to. Default 500ms; whole milliseconds, 1ms to 1m.
	ReplicationLag time.Duration
	// CPUPercent (thresholds.cpu_percent) is the load of an instance in per cent.
	// Default 80; 1 to 99, because at 100 nothing is above.
	CPUPercent int
	// Connections (thresholds.connections) is how many clients an instance may have.
	// Default 100, at least 1, and below the max_connections that Aurora derives
	// from Database.MaxACU: the alarm could never go off otherwise.
	Connections int
}

// Functions are the Lambdas, whose packages `make lambdas` builds.
type Functions struct {
	// Architecture (functions.architecture) is [ARM64], the default, or [X8664].
	Architecture string
	// Directory (functions.directory) holds health-monitor-<architecture>.zip and
	// failover-trigger-<architecture>.zip. Default "dist". A relative folder counts from
	// where the program runs.
	Directory string
}

// DefaultEngineVersion is the engine that a Config without one gets: Aurora MySQL
// 3.10 has long-term support until 30 April 2028 (Aurora MySQL release calendars),
// and 3.10.4 of 30 March 2026 is its newest patch known here (release notes).
const DefaultEngineVersion = "8.0.mysql_aurora.3.10.4"

// WithDefaults returns a copy in which every zero field holds its default. The copy
// shares no map, slice or pointer with c. Fields that follow from
// EnvironmentSuffix stay empty as long as that is empty.
func (c Config) WithDefaults() Config {
	fill(&c.AWSRegion, "us-east-1")
	fill(&c.SecondRegion, "us-west-2")
	fill(&c.WitnessRegion, "us-east-2")
	if c.EnvironmentSuffix != "" {
		fill(&c.StateBucket, c.Name()+"-state")
		fill(&c.DNSZone, c.EnvironmentSuffix+".lifeboat.internal")
	}
	c.DefaultTags = maps.Clone(c.DefaultTags)
	c.Notifications = slices.Clone(c.Notifications)
	c.Production = boolOr(c.Production, true)
	fill(&c.Network.CIDR, "10.0.0.0/16")
	fill(&c.Network.SecondCIDR, "10.1.0.0/16")
	fill(&c.Database.EngineVersion, DefaultEngineVersion)
	fill(&c.Database.Name, "transactions")
	fill(&c.Database.MasterUsername, "lifeboatadmin")
	fill(&c.Database.MinACU, 0.5)
	fill(&c.Database.MaxACU, 16)
	fill(&c.Database.Instances, 2)
	fill(&c.Database.BackupRetentionDays, 7)
	fill(&c.Database.BackupWindow, "03:00-04:00")
	fill(&c.Database.MaintenanceWindow, "mon:04:00-mon:05:00")
	c.Database.DeletionProtection = boolOr(c.Database.DeletionProtection, *c.Production)
	fill(&c.Thresholds.ReplicationLag, 500*time.Millisecond)
	fill(&c.Thresholds.CPUPercent, 80)
	fill(&c.Thresholds.Connections, 100)
	fill(&c.LogRetentionDays, 365)
	fill(&c.Functions.Architecture, ARM64)
	fill(&c.Functions.Directory, "dist")
	c.Policy = c.Policy.WithDefaults()
	return c
}

func fill[T comparable](field *T, value T) {
	*field = cmp.Or(*field, value)
}

// boolOr never returns p itself, so that copies don't share a switch.
func boolOr(p *bool, value bool) *bool {
	if p != nil {
		value = *p
	}
	return &value
}

// Name returns the prefix of every name, "lifeboat-<suffix>".
func (c Config) Name() string { return "lifeboat-" + c.EnvironmentSuffix }

// Members returns AWSRegion and SecondRegion, defaults applied.
func (c Config) Members() []dr.Region {
	return []dr.Region{cmp.Or(c.AWSRegion, "us-east-1"), cmp.Or(c.SecondRegion, "us-west-2")}
}

// Witness returns the witness Region, defaults applied, or "" when there is none.
func (c Config) Witness() dr.Region {
	if c.WitnessRegion == NoWitness {
		return ""
	}
	return cmp.Or(c.WitnessRegion, "us-east-2")
}

// Topology returns what the failover engine needs to know.
func (c Config) Topology() dr.Topology {
	return dr.Topology{GlobalCluster: c.Name(), Members: c.Members(), Witness: c.Witness()}
}

// StateBucketIn returns the name of the state bucket in a member Region, defaults
// applied.
func (c Config) StateBucketIn(r dr.Region) string {
	return c.WithDefaults().StateBucket + "-" + string(r)
}
