//go:build !lambda.norpc

package main

const rpc = "built with net/rpc"
