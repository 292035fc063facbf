package infra

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var (
	engineForm   = regexp.MustCompile(`^8\.0\.mysql_aurora\.3\.(0[0-9]|[1-9][0-9])\.([0-9]|[1-9][0-9])$`)
	databaseForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,63}$`)
	userForm     = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]{0,15}$`)
)

// functionsUser is whom Lifeboat's functions log in as (terraform/modules/database/global).
const functionsUser = "lifeboat"

// systemDatabases and systemUsers exist on every server and can't be made again.
var (
	systemDatabases = []string{"mysql", "information_schema", "performance_schema", "sys"}
	systemUsers     = []string{"root", "mysql", "rdsadmin", "rdsproxyadmin", "rdsrepladmin", "rdstopmgr"}
)

func (p *problems) database(db Database, production bool) {
	p.engine(db.EngineVersion)
	if !databaseForm.MatchString(db.Name) || slices.Contains(systemDatabases, strings.ToLower(db.Name)) {
		p.add("database.name", fmt.Sprintf("%q can't name a database", db.Name), "give 1 to 64 letters, digits and underscores, a letter first, and no database of the server's own")
	}
	if !userForm.MatchString(db.MasterUsername) || slices.Contains(systemUsers, strings.ToLower(db.MasterUsername)) {
		p.add("database.master_username", fmt.Sprintf("%q can't name the master user", db.MasterUsername), "give 1 to 16 letters and digits, a letter first, and no user of the server's own")
	}
	if strings.EqualFold(db.MasterUsername, "admin") {
		// Security Hub control RDS.24: no default administrator names.
		p.add("database.master_username", `"admin" is the name that attackers try first`, "give another one, such as lifeboatadmin")
	}
	if strings.EqualFold(db.MasterUsername, functionsUser) {
		p.add("database.master_username", fmt.Sprintf("%q is the user of Lifeboat's functions", db.MasterUsername), "give another one, such as lifeboatadmin: the fence doesn't bind the master user, and must bind theirs")
	}
	// Aurora User Guide, how Aurora Serverless v2 works: 0.5 to 256 ACU in half steps
	// from 3.06; the maximum must be above 0.5.
	low := p.acu("database.min_acu", db.MinACU, 0.5)
	high := p.acu("database.max_acu", db.MaxACU, 1)
	if low && high && db.MinACU > db.MaxACU {
		p.add("database.min_acu", fmt.Sprintf("%v is above max_acu %v", db.MinACU, db.MaxACU), "lower it or raise database.max_acu")
	}
	switch {
	case db.Instances < 1 || db.Instances > 16:
		p.add("database.instances", fmt.Sprintf("%d is out of range", db.Instances), "an Aurora cluster has 1 to 16 instances")
	case production && db.Instances < 2:
		p.add("database.instances", "1 is too few in production: the loss of one zone would be an outage", "give at least 2, or set production: false")
	}
	if d := db.BackupRetentionDays; d < 1 || d > 35 {
		p.add("database.backup_retention_days", fmt.Sprintf("%d is out of range", d), "RDS keeps backups for 1 to 35 days")
	}
}

func (p *problems) engine(version string) {
	const hint = "give a full version of Aurora MySQL 3, such as " + DefaultEngineVersion + "; `aws rds describe-db-engine-versions --engine aurora-mysql` lists them"
	m := engineForm.FindStringSubmatch(version)
	if m == nil {
		p.add("database.engine_version", fmt.Sprintf("%q is no version of Aurora MySQL 3", version), hint)
		return
	}
	if minor, _ := strconv.Atoi(m[1]); minor < 6 {
		p.add("database.engine_version", fmt.Sprintf("%q is below 3.06 and lacks mysql.rds_set_read_only, which fences a writer", version), hint)
	}
}

// acu reports whether the capacity can be compared with the other one.
func (p *problems) acu(field string, v, least float64) bool {
	// A negated range, so that NaN is outside.
	if !(v >= least && v <= 256) {
		p.add(field, fmt.Sprintf("%v is out of range", v), fmt.Sprintf("give %v to 256 ACU", least))
		return false
	}
	if v*2 != math.Trunc(v*2) {
		p.add(field, fmt.Sprintf("%v is no half step", v), fmt.Sprintf("use %v or %v", math.Floor(v*2)/2, math.Ceil(v*2)/2))
		return false
	}
	return true
}
