// Command empty takes the least time to build.
package main

func main() {}
