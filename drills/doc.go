// Package drills holds the game days. Run them with
//
//	go test ./drills
//
// which drills every scenario on the embedded target in virtual time, or with
//
//	DRILL_TARGET=docker go test ./drills -run 'TestGameDay/^region-partition$' -count=1
//
// on two real MySQL servers. Settings come from the environment; see
// drill.FromEnv. Each run leaves a folder in drills/out, and drills/out/latest is
// the newest.
package drills
