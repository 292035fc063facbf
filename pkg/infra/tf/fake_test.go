package tf_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/infra"
	"github.com/lifeboat-dr/lifeboat/pkg/infra/tf"
)

// fake is a terraform whose apply or plan does what a real one can't be made to do at
// the right moment. It is a script, because it is started some hundred times.
const fake = `#!/bin/sh
case $1 in
version) echo '{"terraform_version": "1.11.4"}'; exit ;;
init) exit ;;
show) echo '{"format_version": "1.2", "terraform_version": "1.11.4", "resource_changes": []}'; exit ;;
output) echo '{}'; exit ;;
esac
for arg; do
	case $arg in -out=*) out=${arg#-out=} ;; esac
done
if [ $1 = plan ] && [ $MODE != plan-cancelled ]; then
	echo plan >"$out"
	exit 2
fi
head='{"type":"version","terraform":"1.11.4","ui":"1.2"}'
# on_interrupt waits for the interrupt, but not for ever, and then runs its argument.
on_interrupt() {
	trap "$1" INT
	echo "$head"
	sleep 5 >/dev/null 2>&1 & # or it would hold the pipe
	wait
}
case $MODE in
succeeds-when-cancelled)
	on_interrupt 'echo "{\"type\":\"change_summary\",\"changes\":{\"add\":1,\"operation\":\"apply\"}}"; exit 0' ;;
silent-when-cancelled) on_interrupt 'exit 0' ;;
plan-cancelled) on_interrupt 'exit 2' ;;
deaf)
	trap '' INT
	echo "$head"
	exec sleep 5 ;;
slow-to-stop)
	on_interrupt 'sleep 0.3; echo "{\"type\":\"apply_complete\",\"hook\":{\"resource\":{\"addr\":\"aws_rds_cluster.this\"},\"action\":\"create\"}}"; exit 1' ;;
works)
	echo "$head"
	exec sleep 0.5 ;;
long-line)
	echo "$head"
	printf '{"type":"apply_complete","@message":"%0300000d","hook":{"resource":{"addr":"long.line"},"action":"create"}}\n' 0
	echo no message ;;
format-2)
	head='{"type":"version","terraform":"2.0.0","ui":"2.0"}'
	on_interrupt 'exit 1' ;;
dumps)
	echo "$head"
	echo '{"type":"log","@message":"Emergency state dump","state":{"serial":7,"secret":"hunter2-never-print-me"}}'
	echo '{"type":"diagnostic","diagnostic":{"severity":"error","summary":"Failed to save state","detail":"Error saving state: no route"}}'
	exit 1 ;;
esac
`

// faked returns a Deployment of one unit that the fake runs.
func faked(t *testing.T, mode string, o tf.Options, more ...string) (*tf.Deployment, *events) {
	t.Helper()
	dir := t.TempDir()
	write(t, dir+"/global/main.tf", "")
	script := filepath.Join(t.TempDir(), "terraform")
	require.NoError(t, os.WriteFile(script, []byte(fake), 0o755))
	seen := &events{}
	o.Dir, o.Units, o.LocalState, o.Progress = dir, []infra.Unit{global}, true, seen.Event
	o.Binary = tf.Binary{Path: script, Version: "1.11.4", Flavour: tf.Terraform}
	o.Environ = environ(slices.Concat([]string{"MODE=" + mode}, more)...)
	return open(t, o), seen
}

// cancelling returns a context that ends as soon as the stream has begun.
func cancelling(t *testing.T, seen *events) context.Context {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	begun := seen.on("Version")
	go func() {
		<-begun
		cancel()
	}()
	return ctx
}
