#!/bin/sh
# Records the histories in this folder anew, with the guard of commit 9f577a0, which is the
# last one before the redesign. record.patch builds the recorder into that commit.
# Usage: pkg/dr/failover/testdata/histories/record.sh OUT
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
out=$(cd "$1" && pwd)
tree=$(mktemp -d)
trap 'git worktree remove --force "$tree"' EXIT
git worktree add --detach "$tree" 9f577a0
cd "$tree"
git apply "$here/record.patch"
export LIFEBOAT_RECORD="$out" LIFEBOAT_RECORD_MOST=2
rm -f "$out"/*.txt "$out"/*.txt.gz
LIFEBOAT_RECORD_FILE=units.txt go test ./pkg/dr/failover -run 'Guard|RPO|Watchdog|ServerThat|MovesTheWriterAs' -count=1 -cpu 1
LIFEBOAT_RECORD_FILE=search.txt LIFEBOAT_SEEDS=12 go test ./pkg/dr/failover -run 'TestSearch$' -count=1 -cpu 1
LIFEBOAT_RECORD_FILE=drills.txt go test ./drills -run 'TestGameDay$' -count=1 -cpu 1
gzip -9n "$out"/*.txt
