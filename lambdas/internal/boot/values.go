package boot

import (
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// arn refuses what is not the ARN of a thing of a service in the own Region.
func (e *env) arn(key, value, service string, own dr.Region) string {
	if value == "" {
		return "" // refused already, if it is needed
	}
	a, err := arn.Parse(value)
	switch {
	case err != nil || a.Service != service || a.AccountID == "" || a.Resource == "":
		e.refuse("%s %q is no ARN of %s", key, value, service)
	case own != "" && a.Region != own.String():
		e.refuse("%s is in %q, the function in %s: name the one of the own Region, the other may be lost", key, a.Region, own)
	}
	return value
}

// pairs reads "a=b,c=d".
func (e *env) pairs(key string) map[string]string {
	out := make(map[string]string)
	for pair := range strings.SplitSeq(e.getenv(key), ",") {
		if pair = strings.TrimSpace(pair); pair == "" {
			continue
		}
		name, value, ok := strings.Cut(pair, "=")
		if !ok || name == "" || value == "" {
			e.refuse("%s: %q is not name=value", key, pair)
			continue
		}
		if _, twice := out[name]; twice {
			e.refuse("%s names %s twice", key, name)
		}
		out[name] = value
	}
	return out
}

// byRegion reads "region=value,..." for members.
func (e *env) byRegion(key string, t dr.Topology) map[dr.Region]string {
	out := make(map[dr.Region]string)
	for name, value := range e.pairs(key) {
		if t.Peer(dr.Region(name)) == "" {
			e.refuse("%s: %q is no member", key, name)
			continue
		}
		out[dr.Region(name)] = value
	}
	return out
}

// address returns host:port.
func (e *env) address(key, value, port string) string {
	if !strings.Contains(value, ":") {
		value = net.JoinHostPort(value, port)
	}
	host, p, err := net.SplitHostPort(value)
	if n, numErr := strconv.ParseUint(p, 10, 16); err != nil || host == "" || numErr != nil || n == 0 {
		e.refuse("%s: %q is not host:port", key, value)
	}
	return value
}

// urls reads where services are, for the Regions of the deployment.
func (e *env) urls(own dr.Region, regions []dr.Region) map[place]string {
	out := make(map[place]string)
	for _, service := range services {
		for _, r := range regions {
			key := "LIFEBOAT_ENDPOINT_URL_" + service + "_" + strings.ToUpper(strings.ReplaceAll(r.String(), "-", "_"))
			value := e.getenv(key)
			if value == "" && r == own {
				if key = "AWS_ENDPOINT_URL_" + service; e.getenv(key) == "" {
					key = "AWS_ENDPOINT_URL"
				}
				value = e.getenv(key)
			}
			if value == "" {
				continue
			}
			u, err := url.Parse(value)
			if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
				e.refuse("%s %q is no URL", key, value)
			}
			out[place{service, r}] = value
		}
	}
	return out
}
