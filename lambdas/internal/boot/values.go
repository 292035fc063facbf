package boot

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// entry names an entry of a variable that is a list.
func entry(key string, at int) string { return fmt.Sprintf("%s, entry %d,", key, at+1) }

// arn refuses what is not the ARN of a resource of a service in the local Region.
func (e *env) arn(key, value, service string, own dr.Region) string {
	if value == "" {
		return "" // refused already, if it is needed
	}
	a, err := arn.Parse(value)
	switch {
	case err != nil || a.Service != service || a.AccountID == "" || a.Resource == "":
		e.refuse("%s is no ARN of %s: give arn:aws:%[2]s:REGION:ACCOUNT:NAME", key, service)
		return ""
	case own != "" && a.Region != own.String():
		e.refuse("%s is in another Region than the function, which is in %s: name one in the function's Region, the other Region may be lost", key, own)
	}
	return value
}

// pair is an entry of a variable that is a list of name=value; key says which.
type pair struct{ key, name, value string }

// pairs reads "a=b,c=d".
func (e *env) pairs(key string) []pair {
	var out []pair
	for at, text := range strings.Split(e.getenv(key), ",") {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		name, value, ok := strings.Cut(text, "=")
		p := pair{entry(key, at), name, value}
		if !ok || name == "" || value == "" {
			e.refuse("%s is not name=value", p.key)
			continue
		}
		if slices.ContainsFunc(out, func(o pair) bool { return o.name == name }) {
			e.refuse("%s has the name of an entry before it", p.key)
			continue
		}
		out = append(out, p)
	}
	return out
}

// byRegion reads "region=value,..." for members.
func (e *env) byRegion(key string, t dr.Topology) map[dr.Region]pair {
	out := make(map[dr.Region]pair)
	for _, p := range e.pairs(key) {
		if t.Peer(dr.Region(p.name)) == "" {
			e.refuse("%s is for no member: begin it with a Region of LIFEBOAT_MEMBERS and =", p.key)
			continue
		}
		out[dr.Region(p.name)] = p
	}
	return out
}

// hostForm is a host's name or address; a password rarely looks so.
var hostForm = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_.:-]*[A-Za-z0-9_.])?$|^::[A-Fa-f0-9:.]*$`)

// address returns host:port, and "" for what is none.
func (e *env) address(key, value, port string) string {
	if !strings.Contains(value, ":") {
		value = net.JoinHostPort(value, port)
	}
	host, p, err := net.SplitHostPort(value)
	if n, numErr := strconv.ParseUint(p, 10, 16); err != nil || !hostForm.MatchString(host) || len(host) > 255 || numErr != nil || n == 0 {
		e.refuse("%s is not host:port", key)
		return ""
	}
	return value
}

// urls reads where services are, for the Regions of the deployment.
func (e *env) urls(own dr.Region, regions []dr.Region) map[place]string {
	out := make(map[place]string)
	for _, service := range services {
		for _, r := range regions {
			key := "LIFEBOAT_ENDPOINT_URL_" + string(service) + "_" + strings.ToUpper(strings.ReplaceAll(r.String(), "-", "_"))
			value := e.getenv(key)
			if value == "" && r == own {
				if key = "AWS_ENDPOINT_URL_" + string(service); e.getenv(key) == "" {
					key = "AWS_ENDPOINT_URL"
				}
				value = e.getenv(key)
			}
			if value == "" {
				continue
			}
			u, err := url.Parse(value)
			switch {
			case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https": // err would quote it
				e.refuse("%s is no URL: give https://HOST or http://HOST", key)
			case u.User != nil:
				e.refuse("%s has a login in it, which no service of AWS takes and errors would show: leave it out", key)
			default:
				out[place{service, r}] = value
			}
		}
	}
	return out
}
