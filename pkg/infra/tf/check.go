package tf

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	tfjson "github.com/hashicorp/terraform-json"
)

// Allow lists addresses that a plan may destroy or weaken, exactly as terraform writes
// them.
type Allow []string

// Refusal is one change that a plan must not make.
type Refusal struct {
	Address string
	Type    string
	Action  string // "delete", "replace" or "update"
	Reason  string // what would be lost
}

// RefusedError is a plan that [Check] refuses. Nothing was applied.
type RefusedError struct {
	Unit     string // "" when Check was called by itself
	Refusals []Refusal
}

func (e *RefusedError) Error() string {
	var b strings.Builder
	prefix := ""
	b.WriteString("tf: check")
	if e.Unit != "" {
		b.WriteString(" " + e.Unit)
		prefix = e.Unit + "/"
	}
	fmt.Fprintf(&b, ": the plan is refused because of %s:", count(len(e.Refusals), "change"))
	for _, r := range e.Refusals {
		fmt.Fprintf(&b, "\n  - %s %s: %s; to do it all the same: -allow-destroy='%s%s'", r.Action, r.Address, r.Reason, prefix, r.Address)
	}
	return b.String()
}

// guarded says what is lost with a resource that a plan must not destroy. It guards
// the types that this project's modules hold data, keys or state in.
var guarded = map[string]string{
	"aws_rds_global_cluster":     "the global database and its replication end",
	"aws_rds_cluster":            "a member of the global database and its data are lost",
	"aws_rds_cluster_instance":   "a member loses an instance, and the last one its service",
	"aws_kms_key":                "everything encrypted with the key becomes unreadable",
	"aws_kms_replica_key":        "everything encrypted with the key becomes unreadable",
	"aws_s3_bucket":              "the state that is kept in the bucket is lost",
	"aws_s3_bucket_versioning":   "the bucket's former states can't be brought back any more",
	"aws_dynamodb_table":         "the lease that keeps two writers apart is lost",
	"aws_dynamodb_table_replica": "the lease loses its majority",
	"aws_secretsmanager_secret":  "the database's credentials are lost",
}

// weakened are updates in place that do as much harm as a delete.
var weakened = map[string]func(before, after, unknown map[string]any) string{
	"aws_rds_cluster": func(before, after, unknown map[string]any) string {
		// What the provider does with an emptied value: internal/service/rds/cluster.go
		// calls RemoveFromGlobalCluster and PromoteReadReplicaDBCluster.
		if emptied("global_cluster_identifier", before, after, unknown) {
			return "the member is detached from the global database, for good"
		}
		if emptied("replication_source_identifier", before, after, unknown) {
			return "the member is promoted to a cluster of its own"
		}
		return ""
	},
	"aws_dynamodb_table": func(before, after, unknown map[string]any) string {
		return lostReplica("region_name", before, after, unknown)
	},
	"aws_secretsmanager_secret": func(before, after, unknown map[string]any) string {
		return lostReplica("region", before, after, unknown)
	},
	"aws_kms_key": func(before, after, unknown map[string]any) string {
		if before["is_enabled"] == true && after["is_enabled"] == false {
			return "everything encrypted with the key becomes unreadable"
		}
		return ""
	},
}

// Check refuses a plan that deletes, replaces or cripples what a deployment can't get
// back: clusters and their instances, the global cluster, KMS keys, state buckets, the
// lease table, the secrets. It also refuses updates that detach or promote a
// member, drop a replica or disable a key. Addresses in allow pass. It looks at the
// plan only. The error is a [*RefusedError] with every refusal.
func Check(plan *tfjson.Plan, allow Allow) error {
	var refusals []Refusal
	for _, rc := range plan.ResourceChanges {
		if rc == nil || rc.Change == nil || rc.Mode == tfjson.DataResourceMode || slices.Contains(allow, rc.Address) {
			continue
		}
		if r, refused := refusal(rc); refused {
			refusals = append(refusals, r)
		}
	}
	if len(refusals) > 0 {
		return &RefusedError{Refusals: refusals}
	}
	return nil
}

func refusal(rc *tfjson.ResourceChange) (Refusal, bool) {
	r := Refusal{Address: rc.Address, Type: rc.Type}
	actions := rc.Change.Actions
	switch {
	case actions.Replace():
		r.Action, r.Reason = "replace", guarded[rc.Type]
	case actions.Delete():
		r.Action, r.Reason = "delete", guarded[rc.Type]
		if rc.DeposedKey != "" && r.Reason != "" {
			r.Reason += " (a deposed object of an earlier replacement)"
		}
	case actions.Update():
		if weaker, ok := weakened[rc.Type]; ok {
			r.Action, r.Reason = "update", weaker(object(rc.Change.Before), object(rc.Change.After), object(rc.Change.AfterUnknown))
		}
	}
	return r, r.Reason != ""
}

// emptied reports whether an attribute that has a value will have none.
func emptied(key string, before, after, unknown map[string]any) bool {
	was, _ := before[key].(string)
	will, _ := after[key].(string)
	return was != "" && will == "" && unknown[key] != true
}

// lostReplica names the Regions whose `replica` block goes away.
func lostReplica(key string, before, after, unknown map[string]any) string {
	if unknown["replica"] == true {
		return ""
	}
	var lost []string
	left := replicas(key, after)
	for _, region := range replicas(key, before) {
		if !slices.Contains(left, region) {
			lost = append(lost, region)
		}
	}
	if len(lost) == 0 {
		return ""
	}
	return "its replica in " + strings.Join(lost, ", ") + " is lost"
}

func replicas(key string, values map[string]any) []string {
	var out []string
	list, _ := values["replica"].([]any)
	for _, item := range list {
		if region, ok := object(item)[key].(string); ok {
			out = append(out, region)
		}
	}
	return out
}

func object(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

// protections are the attributes by which AWS itself refuses a delete.
var protections = []string{"deletion_protection", "deletion_protection_enabled", "enable_deletion_protection"}

func protectedBy(values map[string]any) string {
	for _, p := range protections {
		if reflect.DeepEqual(values[p], true) {
			return p
		}
	}
	return ""
}
