package control

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Client calls one container's control API.
type Client struct {
	name string
	base string
	http *http.Client
}

// NewClient returns a Client for the API at address (host:port). Errors call the container name.
func NewClient(name, address string) *Client {
	return &Client{name: name, base: "http://" + address, http: &http.Client{Transport: &http.Transport{
		// Control calls must work while a proxy variable is set for the rest of the process.
		Proxy: nil,
	}}}
}

// Call posts to path with query as parameters and in, if not nil, as JSON body,
// and reads the answer into out, if not nil.
func (c *Client) Call(ctx context.Context, path string, query url.Values, in, out any) error {
	return c.do(ctx, http.MethodPost, path, query, in, out)
}

// Get reads path into out.
func (c *Client) Get(ctx context.Context, path string, out any) error {
	return c.do(ctx, http.MethodGet, path, nil, nil, out)
}

func (c *Client) do(ctx context.Context, method, path string, query url.Values, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("control: %s%s: %w", c.name, path, err)
		}
		body = bytes.NewReader(b)
	}
	target := c.base + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, target, body)
	if err != nil {
		return fmt.Errorf("control: %s%s: %w", c.name, path, err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("control: %s%s: %w", c.name, path, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
		return fmt.Errorf("control: %s%s: %s: %s", c.name, path, resp.Status, strings.TrimSpace(string(text)))
	}
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
		return fmt.Errorf("control: %s%s: read answer: %w", c.name, path, err)
	}
	return nil
}

// Hold holds the container's lifeline until ctx ends or the connection breaks.
// It calls held once the container knows.
func (c *Client) Hold(ctx context.Context, held func()) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+"/lifeline", nil)
	if err != nil {
		return err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("control: %s: hold lifeline: %w", c.name, err)
	}
	defer resp.Body.Close()
	held()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil && ctx.Err() == nil {
		return fmt.Errorf("control: %s: lifeline broke: %w", c.name, err)
	}
	return ctx.Err()
}

// Close closes idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }
