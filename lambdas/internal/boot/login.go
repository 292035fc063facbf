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

// Login knows an account of the database. It is safe for concurrent use.
type Login struct {
	arn    string
	allows func(user string) error
	client SecretReader

	turn    chan struct{} // held by the goroutine that asks; the others wait for the answer
	account account
	asked   time.Time // when the account was read; zero when it is not known

	denied chan struct{} // has an element when a server has denied the account
}

// account is what a secret says; printing a Login shows it as an address.
type account struct{ user, password string }

// NewLogin returns the login of a user whose secret is as module database/global writes
// it: JSON with username and password.
func NewLogin(arn, user string, client SecretReader) *Login {
	return newLogin(arn, client, func(named string) error {
		if named == user {
			return nil
		}
		// What it names may be the password, in the wrong field.
		return fmt.Errorf("is the login of another user than %q, as whom the function logs in: set LIFEBOAT_DATABASE_USER", user)
	})
}

// NewAdmin returns the login that fences, of whichever user the secret names but user.
func NewAdmin(arn, user string, client SecretReader) *Login {
	return newLogin(arn, client, func(named string) error {
		if named != user {
			return nil
		}
		return fmt.Errorf("is the login of %q, which writes heartbeats: an account that fences isn't bound by a fence: name another user's secret in LIFEBOAT_ADMIN_SECRET_ARN", named)
	})
}

func newLogin(arn string, client SecretReader, allows func(string) error) *Login {
	return &Login{arn: arn, allows: allows, client: client, turn: make(chan struct{}, 1), denied: make(chan struct{}, 1)}
}

// Account returns user and password. It asks Secrets Manager the first time, and again
// when the account was denied since; when that fails the old one is returned, which may
// be right.
func (l *Login) Account(ctx context.Context) (user, password string, err error) {
	select {
	case <-ctx.Done():
		return "", "", fmt.Errorf("boot: wait for secret %s: %w", l.arn, ctx.Err())
	case l.turn <- struct{}{}:
	}
	defer func() { <-l.turn }()
	known := !l.asked.IsZero()
	if known && (len(l.denied) == 0 || time.Since(l.asked) < askAgain) {
		return l.account.user, l.account.password, nil
	}
	read, err := l.read(ctx)
	switch {
	case err == nil:
		l.account = read
		select {
		case <-l.denied:
		default:
		}
	case !known:
		return "", "", err
	}
	l.asked = time.Now() // of the attempt, too: see askAgain
	return l.account.user, l.account.password, nil
}

// prepareAfter is when a login is read that no probe has needed yet: after the first
// probes are on their way.
const prepareAfter = 100 * time.Millisecond

// Prepare reads the account before it is needed, again and again until it is known or ctx
// ends. The account that fences is needed first in a failure, and Secrets Manager may be
// part of it. An error goes to the goroutine that needs the account.
func (l *Login) Prepare(ctx context.Context) {
	for wait := prepareAfter; ; wait = askAgain {
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		if _, _, err := l.Account(ctx); err == nil {
			return
		}
	}
}

// password is Account's, for a caller that knows the user.
func (l *Login) password(ctx context.Context) (string, error) {
	_, password, err := l.Account(ctx)
	return password, err
}

// denials are the errors with which a server refuses an account: its secret may have been
// rotated, or name another one by now.
var denials = map[uint16]bool{
	1044: true, 1045: true, 1698: true, // ER_DBACCESS_DENIED_ERROR, ER_ACCESS_DENIED_ERROR, ER_ACCESS_DENIED_NO_PASSWORD_ERROR
	1820: true, 1862: true, // ER_MUST_CHANGE_PASSWORD, ER_MUST_CHANGE_PASSWORD_LOGIN
	3118: true, 3955: true, // ER_ACCOUNT_HAS_BEEN_LOCKED, ER_USER_ACCESS_DENIED_FOR_USER_ACCOUNT_BLOCKED_BY_PASSWORD_LOCK
}

// saw looks for a denial at why a connection could not be made.
func (l *Login) saw(err error) {
	var server *mysql.MySQLError
	if errors.As(err, &server) && denials[server.Number] {
		select {
		case l.denied <- struct{}{}:
		default:
		}
	}
}

func (l *Login) read(ctx context.Context) (account, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	out, err := l.client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String(l.arn)})
	if err != nil {
		return account{}, fmt.Errorf("boot: read secret %s: %w", l.arn, err)
	}
	a, ok := parseSecret(aws.ToString(out.SecretString))
	if !ok {
		return account{}, fmt.Errorf("boot: secret %s holds no JSON object with a username and a password: write it as module database/global does", l.arn)
	}
	if err := l.allows(a.user); err != nil {
		return account{}, fmt.Errorf("boot: secret %s %w", l.arn, err)
	}
	return a, nil
}

// parseSecret reads an account, if there is one. It returns no error, because the
// decoder's may quote what it has read. The keys are taken as they are written, as by
// other readers of a database's secret take them: decoded into a struct, a stray
// "Password" would replace the password.
func parseSecret(text string) (a account, ok bool) {
	var fields map[string]json.RawMessage
	if json.Unmarshal([]byte(text), &fields) != nil {
		return account{}, false
	}
	for key, into := range map[string]*string{"username": &a.user, "password": &a.password} {
		if json.Unmarshal(fields[key], into) != nil || *into == "" {
			return account{}, false
		}
	}
	return a, true
}
