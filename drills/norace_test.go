//go:build !race

package drills_test

const raced = false
