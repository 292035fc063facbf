package infra

import (
	"errors"
	"fmt"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// problems collects everything that is wrong with a Config.
type problems struct{ errs []error }

func (p *problems) add(field, problem, hint string) {
	p.errs = append(p.errs, &FieldError{Field: field, Problem: problem, Hint: hint})
}

// Validate reports everything that is wrong with the Config at once, defaults
// applied: an errors.Join of [*FieldError], nil when nothing is. It asks nothing of
// AWS, so a Config that passes can still meet an account's quotas.
func (c Config) Validate() error {
	c = c.WithDefaults()
	var p problems
	p.suffix(c.EnvironmentSuffix)
	p.regions(c)
	if c.AccountID != "" && !accountForm.MatchString(c.AccountID) {
		p.add("account_id", fmt.Sprintf("%q is no AWS account", c.AccountID), "give 12 digits, in quotes")
	}
	p.bucket(c.StateBucket)
	p.derived(c)
	p.tags(c.DefaultTags)
	p.network(c.Network)
	p.database(c.Database, *c.Production)
	p.windows(c.Database)
	p.thresholds(c.Thresholds, c.Database.MaxACU)
	p.notifications(c.Notifications)
	p.zone(c.DNSZone, c.Members())
	if !slices.Contains(logRetentions, c.LogRetentionDays) {
		p.add("log_retention_days", fmt.Sprintf("%d is none of CloudWatch's values", c.LogRetentionDays), fmt.Sprintf("use one of %v", logRetentions))
	}
	if f := c.Functions.Architecture; f != ARM64 && f != X8664 {
		p.add("functions.architecture", fmt.Sprintf("%q is none of Lambda's", f), fmt.Sprintf("use %s or %s", ARM64, X8664))
	}
	if d := c.Functions.Directory; !utf8.ValidString(d) || strings.ContainsFunc(d, unicode.IsControl) {
		p.add("functions.directory", fmt.Sprintf("%q holds control characters", d), "give the folder of the packages, such as dist")
	}
	p.policy(c.Policy, c.Topology())
	return errors.Join(p.errs...)
}

var accountForm = regexp.MustCompile(`^[0-9]{12}$`)

// logRetentions are CloudWatch's values in days (CloudWatch Logs API,
// PutRetentionPolicy).
var logRetentions = []int{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

// tags follows Tagging AWS Resources User Guide, best practices and limits.
func (p *problems) tags(tags map[string]string) {
	limit := 48 // of AWS's 50, because Name and EnvironmentTag are added
	if _, ok := tags["Name"]; ok {
		limit = 49
	}
	if len(tags) > limit {
		p.add("default_tags", fmt.Sprintf("%d tags are too many", len(tags)), fmt.Sprintf("give at most %d, because AWS allows 50, and Name and %s are added", limit, EnvironmentTag))
	}
	folded := map[string]string{}
	for _, key := range sortedKeys(tags) {
		field, value := fmt.Sprintf("default_tags[%q]", key), tags[key]
		if n := utf8.RuneCountInString(key); n < 1 || n > 128 {
			p.add(field, fmt.Sprintf("the key has %d characters", n), "AWS allows 1 to 128")
		}
		if n := utf8.RuneCountInString(value); n > 256 {
			p.add(field, fmt.Sprintf("the value has %d characters", n), "AWS allows 256")
		}
		if strings.HasPrefix(strings.ToLower(key), "aws:") {
			p.add(field, `the prefix "aws:" belongs to AWS`, "choose another key")
		}
		if strings.EqualFold(key, EnvironmentTag) {
			p.add(field, "is the tag by which everything of a deployment is found, and its value is the suffix", "choose another key")
		}
		if !tagText(key) || !tagText(value) {
			p.add(field, fmt.Sprintf("key or value %q holds a character that AWS refuses", value), "use letters, digits, spaces and _ . : / = + - @")
		}
		// IAM tells keys apart without their case, and roles carry the tags too (IAM
		// User Guide, tags).
		fold := strings.ToLower(key)
		if other, ok := folded[fold]; ok {
			p.add(field, fmt.Sprintf("differs from %q by its case only, which IAM refuses", other), "keep one of them")
		}
		folded[fold] = key
	}
}

func tagText(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != ' ' && !strings.ContainsRune("_.:/=+-@", r)
	})
}

func (p *problems) notifications(addresses []string) {
	seen := map[string]bool{}
	for i, address := range addresses {
		field := fmt.Sprintf("notifications[%d]", i)
		parsed, err := mail.ParseAddress(address)
		if err != nil || parsed.Address != address || !strings.Contains(address[strings.LastIndex(address, "@")+1:], ".") {
			p.add(field, fmt.Sprintf("%q is no e-mail address", address), "give the address alone, such as oncall@example.com")
			continue
		}
		if key := strings.ToLower(address); seen[key] {
			p.add(field, fmt.Sprintf("%q is there twice", address), "SNS would keep one subscription and every plan would make the other; keep one")
		} else {
			seen[key] = true
		}
	}
}

func (p *problems) thresholds(t Thresholds, maxACU float64) {
	if lag := t.ReplicationLag; lag < time.Millisecond || lag > time.Minute || lag%time.Millisecond != 0 {
		p.add("thresholds.replication_lag", fmt.Sprintf("%v is out of range", lag), "give 1ms to 1m, in whole milliseconds, because Aurora measures in those")
	}
	if t.CPUPercent < 1 || t.CPUPercent > 99 {
		p.add("thresholds.cpu_percent", fmt.Sprintf("%d is out of range", t.CPUPercent), "give 1 to 99")
	}
	if t.Connections < 1 {
		p.add("thresholds.connections", fmt.Sprintf("%d is out of range", t.Connections), "give at least 1")
	}
	if most := maxConnections(maxACU); t.Connections >= most {
		p.add("thresholds.connections", fmt.Sprintf("%d can't be passed: an instance of %v ACU takes %d connections at most", t.Connections, maxACU, most), "lower it or raise database.max_acu")
	}
}

// maxConnections returns the most that Aurora's default max_connections can be at a
// maximum capacity: the value of the next step of AWS's table, which gives no
// formula for between (Aurora User Guide, maximum connections for Aurora Serverless
// v2).
func maxConnections(acu float64) int {
	for _, step := range []struct {
		acu         float64
		connections int
	}{{1, 90}, {4, 135}, {8, 1000}, {16, 2000}, {32, 3000}, {64, 4000}, {128, 5000}} {
		if acu <= step.acu {
			return step.connections
		}
	}
	return 6000
}
