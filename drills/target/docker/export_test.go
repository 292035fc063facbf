package docker

import "os"

// Shown is what tells from the notes of functions that a fault has had its effect.
var Shown = shown

// Abandoned tells from labels whether what bears them is left over, for the process that
// asks on its own machine.
func Abandoned(host string, labels map[string]string) bool {
	return run{id: "00000000", host: host, pid: os.Getpid()}.abandoned(labels)
}

// Labels are what a run of a process puts on all that belongs to it.
func Labels(host string, pid int) map[string]string {
	return run{id: "00000000", host: host, pid: pid}.labels()
}
