// Package secrets emulates reading from Secrets Manager. Every secret has one
// version, which is the current one.
package secrets

import (
	"context"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/cloud/internal/wire"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// Secret is a secret of one Region. A replica is a secret of the same name and
// value in another one.
type Secret struct {
	Region dr.Region
	Name   string
	Value  string
}

// Service is the emulated Secrets Manager. It is safe for concurrent use, since
// nothing in it changes.
type Service struct {
	account string
	created time.Time
	secrets map[string]Secret // by full ARN
	alias   map[string]string // to full ARNs: by ARN without its suffix, and by Region and name
}

// New returns a Service with the given secrets.
func New(account string, list []Secret) *Service {
	s := &Service{account: account, created: time.Now(), secrets: map[string]Secret{}, alias: map[string]string{}}
	for _, secret := range list {
		arn := s.ARN(secret.Region, secret.Name)
		s.secrets[arn] = secret
		s.alias[arn[:len(arn)-suffixLength-1]] = arn
		s.alias[string(secret.Region)+" "+secret.Name] = arn
	}
	return s
}

// suffixLength is the number of characters that AWS draws after a secret's name
// and a hyphen. Replicas share them.
const suffixLength = 6

// ARN returns the ARN that a secret has. Its suffix follows from the name, so
// that it is the same in each Region and in each run.
func (s *Service) ARN(r dr.Region, name string) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	suffix := make([]byte, suffixLength)
	n := hash(name)
	for i := range suffix {
		suffix[i] = letters[n%uint64(len(letters))]
		n /= uint64(len(letters))
	}
	return "arn:aws:secretsmanager:" + string(r) + ":" + s.account + ":secret:" + name + "-" + string(suffix)
}

func hash(text string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(text)) // a hash takes everything
	return h.Sum64()
}

// version is a secret's version id, a UUID that follows from its name.
func version(name string) string { return fmt.Sprintf("00000000-0000-4000-8000-%012x", hash(name)>>16) }

const current = "AWSCURRENT"

// Serve answers one call.
func (s *Service) Serve(_ context.Context, call wire.Call) ([]byte, error) {
	if call.Operation != "GetSecretValue" {
		return nil, wire.NotEmulated("secretsmanager", "operation "+call.Operation)
	}
	var id, versionID, stage string
	var unknown []string
	d := wire.NewDecoder(call.Body)
	err := d.Object(func(name string) error {
		into := map[string]*string{"SecretId": &id, "VersionId": &versionID, "VersionStage": &stage}[name]
		if into == nil {
			unknown = append(unknown, name)
			return d.Skip()
		}
		if d.Null() {
			return nil
		}
		var err error
		*into, err = d.String()
		return err
	})
	if err == nil {
		err = d.End()
	}
	switch {
	case err != nil:
		return nil, wire.Refuse(400, "SerializationException", "%v", err)
	case len(unknown) > 0:
		return nil, wire.NotEmulated("secretsmanager", "parameter "+unknown[0]+" of GetSecretValue")
	case id == "": // the code is unconfirmed: SDKs refuse to send this
		return nil, wire.Refuse(400, "InvalidParameterException", "You must provide a value for the SecretId parameter.")
	}
	arn, secret, ok := s.find(call.Region, id)
	if !ok {
		return nil, notFound("Secrets Manager can't find the specified secret.")
	}
	if v := version(secret.Name); versionID != "" && versionID != v {
		return nil, notFound("Secrets Manager can't find the specified secret value for VersionId: " + versionID)
	}
	if stage != "" && stage != current {
		return nil, notFound("Secrets Manager can't find the specified secret value for staging label: " + stage)
	}
	return s.answer(arn, secret), nil
}

func notFound(message string) error {
	return wire.Refuse(400, "ResourceNotFoundException", "%s", message)
}

// find takes a name, an ARN, or an ARN without its suffix. What another Region
// holds is not found (unconfirmed: AWS documents no code of its own for it).
func (s *Service) find(r dr.Region, id string) (arn string, secret Secret, ok bool) {
	arn = id
	if !strings.HasPrefix(id, "arn:") {
		arn = s.alias[string(r)+" "+id]
	} else if full, known := s.alias[id]; known {
		arn = full
	}
	secret, ok = s.secrets[arn]
	return arn, secret, ok && secret.Region == r
}

func (s *Service) answer(arn string, secret Secret) []byte {
	b := []byte(`{"ARN":`)
	b = wire.AppendString(b, arn)
	b = append(b, `,"CreatedDate":`...)
	b = strconv.AppendFloat(b, float64(s.created.UnixMilli())/1e3, 'f', 3, 64)
	b = append(b, `,"Name":`...)
	b = wire.AppendString(b, secret.Name)
	b = append(b, `,"SecretString":`...)
	b = wire.AppendString(b, secret.Value)
	b = append(b, `,"VersionId":`...)
	b = wire.AppendString(b, version(secret.Name))
	return append(b, `,"VersionStages":["`+current+`"]}`...)
}
