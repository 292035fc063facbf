package boot_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/lambdas/internal/boot"
)

const noAccount = "boot: secret arn holds no JSON object with a username and a password: write it as module database/global does"

// FuzzSecret reads any secret. It is the account that stands under exactly "username"
// and "password", both of them, or an error that is told without a look at the password.
func FuzzSecret(f *testing.F) {
	for _, text := range []string{
		secret("lifeboat", "hush"), secret("root", "hush"), ``, `null`, `[]`, `"hush"`, `hush`, `{}`, `{"username":"lifeboat"}`, `{"password":"hush"}`,
		`{"username":"lifeboat","password":""}`, `{"username":"lifeboat","password":null}`, `{"username":"lifeboat","password":7}`,
		`{"username":"lifeboat","password":"hush"}{}`, `{"username":"lifeboat","password":"hush"`, `{"username":"lifeboat","password":"hush","password":null}`,
		`{"Username":"lifeboat","PASSWORD":"hush"}`, `{"username":"lifeboat","password":"hush","Password":"old"}`, `{"username":"lifeboat","password":"\ud83d\ude00\u0000"}`,
	} {
		f.Add(text, "lifeboat", "hush")
	}
	f.Add(``, `a"b`, "\\\n\x00é")
	f.Add(``, "<&>", "\xff")
	f.Fuzz(func(t *testing.T, text, user, password string) {
		var fields map[string]any // the oracle
		valid := json.Unmarshal([]byte(text), &fields) == nil
		wantUser, _ := fields["username"].(string)
		wantPassword, _ := fields["password"].(string)

		for name, login := range map[string]*boot.Login{
			"user":  boot.NewLogin("arn", "lifeboat", &vault{value: text}),
			"admin": boot.NewAdmin("arn", "lifeboat", &vault{value: text}),
		} {
			gotUser, gotPassword, err := login.Account(t.Context())
			switch {
			case !valid || wantUser == "" || wantPassword == "":
				require.EqualError(t, err, noAccount)
			case name == "user" && wantUser != "lifeboat":
				require.EqualError(t, err, `boot: secret arn is the login of another user than "lifeboat", as whom the function logs in: set LIFEBOAT_DATABASE_USER`)
			case name == "admin" && wantUser == "lifeboat":
				require.EqualError(t, err, `boot: secret arn is the login of "lifeboat", which writes heartbeats: an account that fences isn't bound by a fence: name another user's secret in LIFEBOAT_ADMIN_SECRET_ARN`)
			default:
				require.NoError(t, err)
				require.Equal(t, []string{wantUser, wantPassword}, []string{gotUser, gotPassword})
				continue
			}
			require.Empty(t, gotUser+gotPassword)
		}

		// What is written reads back.
		user, password = strings.ToValidUTF8(user, "?"), strings.ToValidUTF8(password, "?")
		if user == "" || password == "" {
			return
		}
		written, err := json.Marshal(map[string]any{"engine": "mysql", "port": 3306, "username": user, "password": password})
		require.NoError(t, err)
		gotUser, gotPassword, err := boot.NewLogin("arn", user, &vault{value: string(written)}).Account(t.Context())
		require.NoError(t, err)
		require.Equal(t, []string{user, password}, []string{gotUser, gotPassword})
	})
}
