//go:build lambda.norpc

package main

const rpc = "built without net/rpc"
