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
		fields := strings.Split(credential, "/")
		n := len(fields)
		if n < 5 || fields[n-1] != "aws4_request" || fields[n-2] == "" || fields[n-3] == "" {
			return Scope{}, false
		}
		return Scope{Region: fields[n-3], Service: fields[n-2]}, true
	}
	return Scope{}, false
}
