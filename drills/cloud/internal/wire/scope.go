package wire

import "strings"

// Scope is the credential scope of a request signed with Signature Version 4.
type Scope struct {
	Region  string
	Service string // signing name: rds, sns, dynamodb, monitoring, secretsmanager
}

// ParseScope reads the scope out of an Authorization header such as
//
//	AWS4-HMAC-SHA256 Credential=AKID/20261122/us-west-2/rds/aws4_request, SignedHeaders=…, Signature=…
//
// The signature is not verified.
func ParseScope(header string) (Scope, bool) {
	rest, ok := strings.CutPrefix(header, "AWS4-HMAC-SHA256 ")
	if !ok {
		return Scope{}, false
	}
	for part := range strings.SplitSeq(rest, ",") {
		credential, ok := strings.CutPrefix(strings.TrimSpace(part), "Credential=")
		if !ok {
			continue
		}
		rest, ok := strings.CutSuffix(credential, "/aws4_request")
		rest, service := cutLast(rest)
		rest, region := cutLast(rest)
		key, date := cutLast(rest)
		if !ok || service == "" || region == "" || date == "" || key == "" {
			return Scope{}, false
		}
		return Scope{Region: region, Service: service}, true
	}
	return Scope{}, false
}

// cutLast cuts around the last slash.
func cutLast(s string) (before, after string) {
	i := strings.LastIndexByte(s, '/')
	if i < 0 {
		return "", ""
	}
	return s[:i], s[i+1:]
}
