package workload_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// fakeMySQL speaks as much of the protocol as a session needs: handshake,
// @@server_id, and an INSERT that ends in the way that the test wants.
type fakeMySQL struct {
	mu      sync.Mutex
	id      uint32 // of the server that new connections reach
	mode    string // ok, read-only, first-read-only, shutdown, silent, reset, deaf, refuse, mute
	dialled []string
	rows    []string
	open    int
	last    net.Conn
}

func (f *fakeMySQL) set(mode string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mode = mode
}

func (f *fakeMySQL) is() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.mode
}

// point lets new connections reach another server.
func (f *fakeMySQL) point(id uint32) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.id = id
}

func (f *fakeMySQL) count(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.open += n
}

// dial is the session's Dial: a pipe, so that a test can run in virtual time.
func (f *fakeMySQL) dial(_ context.Context, _, address string) (net.Conn, error) {
	f.mu.Lock()
	f.dialled = append(f.dialled, address)
	f.mu.Unlock()
	if f.is() == "refuse" {
		return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	}
	client, server := net.Pipe()
	f.count(1)
	f.mu.Lock()
	f.last = server
	id := f.id
	f.mu.Unlock()
	go func() {
		defer f.count(-1)
		defer server.Close()
		f.serve(server, id)
	}()
	return client, nil
}

func (f *fakeMySQL) serve(c net.Conn, id uint32) {
	if f.is() == "mute" { // accepts and says nothing
		io.Copy(io.Discard, c)
		return
	}
	hello := []byte{10}
	hello = append(hello, "8.4.0-fake\x00"...)
	hello = append(hello, 1, 0, 0, 0)
	hello = append(hello, "12345678\x00"...)
	// PROTOCOL_41, TRANSACTIONS, SECURE_CONNECTION; then PLUGIN_AUTH above.
	hello = append(hello, 0x00, 0xa2, 45, 2, 0, 0x08, 0x00, 21)
	hello = append(hello, make([]byte, 10)...)
	hello = append(hello, "123456789012\x00mysql_native_password\x00"...)
	if send(c, 0, hello) != nil {
		return
	}
	if _, err := receive(c); err != nil {
		return
	}
	okPacket := []byte{0, 0, 0, 2, 0, 0, 0}
	if send(c, 2, okPacket) != nil {
		return
	}
	for f.is() != "deaf" { // reads nothing more
		query, err := receive(c)
		if err != nil || query[0] == 1 { // COM_QUIT
			return
		}
		text := string(query[1:])
		switch {
		case strings.HasPrefix(text, "SELECT @@server_id"):
			id := strconv.Itoa(int(id))
			column := []byte("\x03def\x00\x00\x00\x04@@id\x00\x0c\x3f\x00\x14\x00\x00\x00\x08\x00\x00\x00\x00\x00")
			eof := []byte{0xfe, 0, 0, 2, 0}
			err = errors.Join(send(c, 1, []byte{1}), send(c, 2, column), send(c, 3, eof),
				send(c, 4, append([]byte{byte(len(id))}, id...)), send(c, 5, eof))
		case strings.HasPrefix(text, "INSERT"):
			mode := f.is()
			if mode == "first-read-only" && id == 1 {
				mode = "read-only"
			}
			switch mode {
			case "read-only":
				err = send(c, 1, failure(1290, "the MySQL server is running with the --super-read-only option"))
			case "shutdown":
				err = send(c, 1, failure(1053, "server shutdown in progress"))
			case "silent":
				io.Copy(io.Discard, c)
				return
			case "reset":
				return
			default:
				f.mu.Lock()
				f.rows = append(f.rows, text)
				f.mu.Unlock()
				err = send(c, 1, okPacket)
			}
		default:
			err = send(c, 1, okPacket)
		}
		if err != nil {
			return
		}
	}
	// Blocks until the client gives up: the server writes and the client doesn't read.
	c.Write([]byte{0})
}

func failure(number uint16, text string) []byte {
	p := binary.LittleEndian.AppendUint16([]byte{0xff}, number)
	return append(append(p, "#HY000"...), text...)
}

func send(c net.Conn, seq byte, payload []byte) error {
	n := len(payload)
	_, err := c.Write(append([]byte{byte(n), byte(n >> 8), byte(n >> 16), seq}, payload...))
	return err
}

func receive(c net.Conn) ([]byte, error) {
	head := make([]byte, 4)
	if _, err := io.ReadFull(c, head); err != nil {
		return nil, err
	}
	payload := make([]byte, int(head[0])|int(head[1])<<8|int(head[2])<<16)
	_, err := io.ReadFull(c, payload)
	return payload, err
}
