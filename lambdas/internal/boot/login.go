package boot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/go-sql-driver/mysql"
)

// SecretReader is the part of the Secrets Manager API that a Login uses.
type SecretReader interface {
	GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error)
}

// askAgain is the least time between two questions for the secret: a login that stays
// denied must not have it read twice a second.
const askAgain = 5 * time.Second

// Login knows the database's password. It is safe for concurrent use.
type Login struct {
	arn, user string
	client    SecretReader

	turn     chan struct{} // held by who asks; the others wait for the answer
	password string
	asked    time.Time // when the password was read; zero when it is not known

	denied chan struct{} // has an element when a server has denied the password
}

// NewLogin returns the login of a user whose secret is as module database/global writes
// it: JSON with username and password.
func NewLogin(arn, user string, client SecretReader) *Login {
	return &Login{arn: arn, user: user, client: client, turn: make(chan struct{}, 1), denied: make(chan struct{}, 1)}
}

// Password returns the password. It asks Secrets Manager the first time, and again when
// it was denied since; when that fails the old one is returned, which may be right.
func (l *Login) Password(ctx context.Context) (string, error) {
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case l.turn <- struct{}{}:
	}
	defer func() { <-l.turn }()
	known := !l.asked.IsZero()
	if known && (len(l.denied) == 0 || time.Since(l.asked) < askAgain) {
		return l.password, nil
	}
	password, err := l.read(ctx)
	switch {
	case err == nil:
		l.password = password
		select {
		case <-l.denied:
		default:
		}
	case !known:
		return "", err
	}
	l.asked = time.Now() // of the attempt, too: see askAgain
	return l.password, nil
}

// saw looks at what a statement returned for a login that was denied, and returns it.
func (l *Login) saw(err error) error {
	const accessDenied = 1045 // ER_ACCESS_DENIED_ERROR
	var server *mysql.MySQLError
	if errors.As(err, &server) && server.Number == accessDenied {
		select {
		case l.denied <- struct{}{}:
		default:
		}
	}
	return err
}

func (l *Login) read(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	out, err := l.client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String(l.arn)})
	if err != nil {
		return "", fmt.Errorf("boot: read secret %s: %w", l.arn, err)
	}
	var value struct {
		Username string `json:"username"`
		Password string `json:"password"`
	}
	// The decoder's error may quote what it read.
	if json.Unmarshal([]byte(aws.ToString(out.SecretString)), &value) != nil || value.Password == "" {
		return "", fmt.Errorf("boot: secret %s holds no JSON object with a username and a password: write it as module database/global does", l.arn)
	}
	if value.Username != l.user {
		return "", fmt.Errorf("boot: secret %s is the login of %q, the function logs in as %q: set LIFEBOAT_DATABASE_USER", l.arn, value.Username, l.user)
	}
	return value.Password, nil
}
