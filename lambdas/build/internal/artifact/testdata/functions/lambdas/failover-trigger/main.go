// Command failover-trigger stands in for the function of this name in tests of the packaging.
package main

import (
	"fmt"
	"runtime"
)

func main() {
	// The file's path is in the program: trimmed, or different in each folder.
	_, file, _, _ := runtime.Caller(0)
	fmt.Println("failover-trigger", file, rpc)
}
