package boot_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/lambdas/internal/boot"
)

// vault is a secret that can be rotated and be out of reach.
type vault struct {
	mu    sync.Mutex
	value string
	err   error
	hang  bool
	asked int
}

func (v *vault) set(f func(*vault)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	f(v)
}

func (v *vault) GetSecretValue(ctx context.Context, _ *secretsmanager.GetSecretValueInput, _ ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error) {
	v.mu.Lock()
	v.asked++
	value, err, hang := v.value, v.err, v.hang
	v.mu.Unlock()
	if hang {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return &secretsmanager.GetSecretValueOutput{SecretString: aws.String(value)}, err
}

func secret(user, password string) string {
	return fmt.Sprintf(`{"engine":"mysql","port":3306,"dbname":"t","username":%q,"password":%q}`, user, password)
}

var errDenied = fmt.Errorf("aurora: heartbeat: %w", &mysql.MySQLError{Number: 1045, Message: "Access denied"})

func TestLoginIsReadOnceAndAgainWhenItWasDenied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &vault{value: secret("lifeboat", "first")}
		l := boot.NewLogin("arn", "lifeboat", v)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				user, got, err := l.Account(t.Context())
				require.NoError(t, err)
				require.Equal(t, []string{"lifeboat", "first"}, []string{user, got})
			})
		}
		wg.Wait()
		require.Equal(t, 1, v.asked, "eight connections at once are one question")
		<-time.After(time.Hour)
		_, _, err := l.Account(t.Context())
		require.NoError(t, err)
		l.Saw(nil)
		l.Saw(errors.New("cut off"))
		_, _, err = l.Account(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, v.asked, "neither time nor another error is a reason to ask")

		v.set(func(v *vault) { v.value = secret("lifeboat", "second") })
		l.Saw(errDenied)
		_, got, err := l.Account(t.Context())
		require.NoError(t, err)
		require.Equal(t, "second", got)
		require.Equal(t, 2, v.asked)

		for range 40 { // a login that stays denied, twice a second
			l.Saw(errDenied)
			_, _, err = l.Account(t.Context())
			require.NoError(t, err)
			<-time.After(500 * time.Millisecond)
		}
		require.LessOrEqual(t, v.asked, 6, "is not asked for as often")
	})
}

func TestLoginOutlivesSecretsManager(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &vault{value: secret("lifeboat", "first"), hang: true}
		l := boot.NewLogin("arn:aws:secretsmanager:x", "lifeboat", v)
		began := time.Now()
		_, _, err := l.Account(t.Context())
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "arn:aws:secretsmanager:x")
		require.LessOrEqual(t, time.Since(began), 1500*time.Millisecond, "a probe must not wait longer than its deadline")

		v.set(func(v *vault) { v.hang = false })
		_, _, err = l.Account(t.Context())
		require.NoError(t, err)
		v.set(func(v *vault) { v.err = errors.New("down") })
		<-time.After(time.Minute)
		l.Saw(errDenied)
		_, got, err := l.Account(t.Context())
		require.NoError(t, err, "the old one may still be right")
		require.Equal(t, "first", got)
		v.set(func(v *vault) { v.err, v.value = nil, secret("lifeboat", "second") })
		<-time.After(6 * time.Second)
		_, got, err = l.Account(t.Context())
		require.NoError(t, err)
		require.Equal(t, "second", got, "the denial is not forgotten")

		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		v.set(func(v *vault) { v.hang = true })
		_, _, err = boot.NewLogin("arn", "lifeboat", v).Account(ctx)
		require.ErrorIs(t, err, context.Canceled)
	})
}

// The account that fences is needed first when something fails.
func TestLoginIsReadBeforeItIsNeeded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &vault{err: errors.New("down")}
		l := boot.NewAdmin("arn", "lifeboat", v)
		asked := func() (n int) { v.set(func(v *vault) { n = v.asked }); return n }
		prepared := make(chan struct{})
		go func() { l.Prepare(t.Context()); close(prepared) }()
		<-time.After(50 * time.Millisecond)
		require.Zero(t, asked(), "the first probe goes first")
		<-time.After(100 * time.Millisecond)
		require.Equal(t, 1, asked())
		v.set(func(v *vault) { v.err, v.value = nil, secret("root", "first") })
		<-prepared
		v.set(func(v *vault) { v.hang = true })
		user, got, err := l.Account(t.Context())
		require.NoError(t, err)
		require.Equal(t, []string{"root", "first"}, []string{user, got})
		l.Prepare(t.Context())
		require.Equal(t, 2, asked(), "once is enough")

		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		boot.NewAdmin("arn", "lifeboat", v).Prepare(ctx)
		require.Equal(t, 2, v.asked)
	})
}

func TestLoginRefusesAnotherSecret(t *testing.T) {
	for value, want := range map[string]string{
		secret("root", "hush"):    "LIFEBOAT_DATABASE_USER",
		`{"username":"lifeboat"}`: "holds no JSON object",
		`{"password":"hush"}`:     "holds no JSON object",
		`hush`:                    "holds no JSON object",
		``:                        "holds no JSON object",
		`{"username":"lifeboat","password":7` + `,"hush":1}`: "holds no JSON object",
	} {
		_, _, err := boot.NewLogin("arn", "lifeboat", &vault{value: value}).Account(t.Context())
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "hush")
	}
}

func TestAdminIsTheUserThatTheSecretNamesButNotTheUserOfHeartbeats(t *testing.T) {
	user, password, err := boot.NewAdmin("arn", "lifeboat", &vault{value: secret("root", "first")}).Account(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"root", "first"}, []string{user, password})

	_, _, err = boot.NewAdmin("arn", "lifeboat", &vault{value: secret("lifeboat", "hush")}).Account(t.Context())
	require.ErrorContains(t, err, "LIFEBOAT_ADMIN_SECRET_ARN")
	require.NotContains(t, err.Error(), "hush")
}
