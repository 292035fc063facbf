package tf_test

import (
	"encoding/json"
	"testing"

	tfjson "github.com/hashicorp/terraform-json"
	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/infra/tf"
)

func planOf(t *testing.T, resources ...string) *tfjson.Plan {
	t.Helper()
	text := `{"format_version": "1.2", "terraform_version": "1.11.4", "resource_changes": [`
	for i, r := range resources {
		if i > 0 {
			text += ","
		}
		text += r
	}
	var p tfjson.Plan
	require.NoError(t, json.Unmarshal([]byte(text+"]}"), &p))
	return &p
}

func change(typ, actions, before, after, unknown string) string {
	return `{"address": "module.m.` + typ + `.this", "type": "` + typ + `", "mode": "managed", "change": {"actions": ` + actions +
		`, "before": ` + before + `, "after": ` + after + `, "after_unknown": ` + unknown + `}}`
}

func TestCheckRefuses(t *testing.T) {
	const gone, replace, recreate = `["delete"]`, `["delete","create"]`, `["create","delete"]`
	const update = `["update"]`
	for name, c := range map[string]struct{ change, action, reason string }{
		"cluster deleted":         {change("aws_rds_cluster", gone, "{}", "null", "{}"), "delete", "its data are lost"},
		"cluster replaced":        {change("aws_rds_cluster", replace, "{}", "{}", "{}"), "replace", "its data are lost"},
		"cluster created anew":    {change("aws_rds_cluster", recreate, "{}", "{}", "{}"), "replace", "its data are lost"},
		"instance deleted":        {change("aws_rds_cluster_instance", gone, "{}", "null", "{}"), "delete", "loses an instance"},
		"global cluster replaced": {change("aws_rds_global_cluster", replace, "{}", "{}", "{}"), "replace", "replication"},
		"key deleted":             {change("aws_kms_key", gone, "{}", "null", "{}"), "delete", "unreadable"},
		"bucket replaced":         {change("aws_s3_bucket", replace, "{}", "{}", "{}"), "replace", "state"},
		"lease table deleted":     {change("aws_dynamodb_table", gone, "{}", "null", "{}"), "delete", "lease"},
		"secret deleted":          {change("aws_secretsmanager_secret", gone, "{}", "null", "{}"), "delete", "credentials"},
		"member detached": {change("aws_rds_cluster", update, `{"global_cluster_identifier": "lifeboat-x"}`, `{"global_cluster_identifier": null}`, "{}"),
			"update", "detached"},
		"member promoted": {change("aws_rds_cluster", update, `{"replication_source_identifier": "arn:x"}`, `{"replication_source_identifier": ""}`, "{}"),
			"update", "promoted"},
		"lease replica dropped": {change("aws_dynamodb_table", update, `{"replica": [{"region_name": "us-west-2"}]}`, `{"replica": []}`, "{}"),
			"update", "replica in us-west-2"},
		"secret replica moved": {change("aws_secretsmanager_secret", update, `{"replica": [{"region": "us-west-2"}]}`, `{"replica": [{"region": "eu-west-1"}]}`, "{}"),
			"update", "replica in us-west-2"},
		"key disabled": {change("aws_kms_key", update, `{"is_enabled": true}`, `{"is_enabled": false}`, "{}"), "update", "unreadable"},
		"deposed cluster": {`{"address": "module.m.aws_rds_cluster.this", "type": "aws_rds_cluster", "mode": "managed", "deposed": "ab12", "change": {"actions": ["delete"], "before": {}, "after": null}}`,
			"delete", "deposed"},
	} {
		t.Run(name, func(t *testing.T) {
			p := planOf(t, change("aws_sns_topic", gone, "{}", "null", "{}"), c.change)
			var refused *tf.RefusedError
			err := tf.Check(p, nil)
			require.ErrorAs(t, err, &refused)
			require.Len(t, refused.Refusals, 1, "the topic may go")
			r := refused.Refusals[0]
			require.Equal(t, c.action, r.Action)
			require.Contains(t, r.Reason, c.reason)
			require.ErrorContains(t, err, "-allow-destroy='"+r.Address+"'")
			require.NoError(t, tf.Check(p, tf.Allow{r.Address}), "that address is allowed")
			require.Error(t, tf.Check(p, tf.Allow{r.Address + "x", "module.m", "*", ""}), "only that exact one")
		})
	}
}

func TestCheckPasses(t *testing.T) {
	const update = `["update"]`
	require.NoError(t, tf.Check(planOf(t,
		change("aws_rds_cluster", `["create"]`, "null", "{}", "{}"),
		change("aws_rds_cluster", `["no-op"]`, "{}", "{}", "{}"),
		change("aws_rds_cluster", `["forget"]`, "{}", "null", "{}"),
		change("aws_rds_cluster", update, `{"global_cluster_identifier": "x", "engine_version": "1"}`, `{"global_cluster_identifier": "x", "engine_version": "2"}`, "{}"),
		change("aws_rds_cluster", update, `{"global_cluster_identifier": "x"}`, `{}`, `{"global_cluster_identifier": true}`),
		change("aws_rds_cluster", update, `{"replication_source_identifier": ""}`, `{"replication_source_identifier": "arn"}`, "{}"),
		change("aws_rds_cluster", update, `{"deletion_protection": true}`, `{"deletion_protection": false}`, "{}"), // how a destroy is prepared
		change("aws_dynamodb_table", update, `{"replica": [{"region_name": "us-west-2"}]}`, `{"replica": [{"region_name": "us-west-2", "arn": "x"}]}`, "{}"),
		change("aws_kms_alias", `["delete"]`, "{}", "null", "{}"),
		`{"address": "data.aws_kms_key.this", "type": "aws_kms_key", "mode": "data", "change": {"actions": ["delete"]}}`,
	), nil))
	require.NoError(t, tf.Check(&tfjson.Plan{}, nil))
}

func TestCheckTellsEverythingAtOnce(t *testing.T) {
	err := tf.Check(planOf(t,
		change("aws_rds_cluster", `["delete"]`, "{}", "null", "{}"),
		change("aws_kms_key", `["delete"]`, "{}", "null", "{}"),
		change("aws_s3_bucket", `["delete"]`, "{}", "null", "{}"),
	), tf.Allow{"module.m.aws_kms_key.this"})
	var refused *tf.RefusedError
	require.ErrorAs(t, err, &refused)
	require.Len(t, refused.Refusals, 2)
	require.ErrorContains(t, err, "2 changes")
}
