//go:build !race

package artifact_test

const raced = false
