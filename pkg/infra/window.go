package infra

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
)

const (
	day  = 24 * 60 // minutes
	week = 7 * day
)

var weekdays = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}

var (
	backupForm      = regexp.MustCompile(`^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)$`)
	maintenanceForm = regexp.MustCompile(`^(mon|tue|wed|thu|fri|sat|sun):([01]\d|2[0-3]):([0-5]\d)-(mon|tue|wed|thu|fri|sat|sun):([01]\d|2[0-3]):([0-5]\d)$`)
)

// window is a span of minutes that comes back every day or week.
type window struct{ start, length int }

// windows holds the two to the bounds of the RDS API (CreateDBCluster): at least 30
// minutes each, clear of each other, maintenance at most a day. Upper-case weekdays
// are refused, because RDS answers in lower case and the plan would never be clean.
func (p *problems) windows(db Database) {
	backup, problem := parseBackup(db.BackupWindow)
	if problem != "" {
		p.add("database.backup_window", problem, `give "hh:mm-hh:mm" in UTC of at least 30 minutes, such as "03:00-04:00"`)
	}
	maintenance, bad := parseMaintenance(db.MaintenanceWindow)
	if bad != "" {
		p.add("database.maintenance_window", bad, `give "ddd:hh:mm-ddd:hh:mm" in UTC, lower case, 30 minutes to 24 hours, such as "mon:04:00-mon:05:00"`)
	}
	if problem != "" || bad != "" {
		return
	}
	for d := range 7 {
		if overlap(window{d*day + backup.start, backup.length}, maintenance) {
			p.add("database.maintenance_window", fmt.Sprintf("%s overlaps the backup window %s on %s", db.MaintenanceWindow, db.BackupWindow, weekdays[d]), "RDS refuses that; move one of them")
			return
		}
	}
}

func parseBackup(s string) (window, string) {
	m := backupForm.FindStringSubmatch(s)
	if m == nil {
		return window{}, fmt.Sprintf("%q is no daily window", s)
	}
	w := between(minutes(m[1], m[2]), minutes(m[3], m[4]), day)
	if w.length < 30 {
		return w, fmt.Sprintf("%q lasts %d minutes", s, w.length)
	}
	return w, ""
}

func parseMaintenance(s string) (window, string) {
	m := maintenanceForm.FindStringSubmatch(s)
	if m == nil {
		return window{}, fmt.Sprintf("%q is no weekly window", s)
	}
	at := func(i int) int { return slices.Index(weekdays, m[i])*day + minutes(m[i+1], m[i+2]) }
	w := between(at(1), at(4), week)
	if w.length < 30 || w.length > day {
		return w, fmt.Sprintf("%q lasts %d minutes", s, w.length)
	}
	return w, ""
}

// between runs over the end of the cycle when end is before start.
func between(start, end, cycle int) window { return window{start, mod(end-start, cycle)} }

// overlap reports whether two windows of the week share a minute.
func overlap(a, b window) bool {
	return mod(b.start-a.start, week) < a.length || mod(a.start-b.start, week) < b.length
}

func mod(n, m int) int { return (n%m + m) % m }

// minutes takes what the forms above have matched.
func minutes(hours, mins string) int {
	h, _ := strconv.Atoi(hours)
	m, _ := strconv.Atoi(mins)
	return h*60 + m
}
