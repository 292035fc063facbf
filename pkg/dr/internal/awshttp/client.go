// Package awshttp makes the HTTP client that every AWS adapter uses.
package awshttp

import (
	"net"
	"net/http"
	"time"
)

// New returns a client for calls that have a deadline of a second or two. The SDK's
// own would wait 30 s for the handshake of a Region that is gone.
//
// It speaks HTTP/1.1 only: there a call that runs into its deadline takes its dead
// connection with it, while a shared HTTP/2 connection would be kept and used again.
func New() *http.Client {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	return &http.Client{Transport: &http.Transport{
		Protocols:           &protocols,
		DialContext:         (&net.Dialer{Timeout: time.Second, KeepAlive: 15 * time.Second}).DialContext,
		TLSHandshakeTimeout: time.Second,
		MaxIdleConnsPerHost: 8,
		IdleConnTimeout:     30 * time.Second,
	}}
}
