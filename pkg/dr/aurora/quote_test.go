package aurora_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/aurora"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// A password that was put into another field by mistake must not be in the log: start-up
// errors are.
func TestNoConstructorQuotesWhatItWasGiven(t *testing.T) {
	const hush = "Zq7Xk9-Lw2Vb4"
	for name, open := range map[string]func() error{
		"NewSQL":      func() error { _, err := aurora.NewSQL(aurora.SQLConfig{Schema: hush}); return err },
		"NewEndpoint": func() error { _, err := aurora.NewEndpoint(aurora.EndpointConfig{Schema: hush}); return err },
		"NewControl": func() error {
			_, err := aurora.NewControl(aurora.ControlConfig{Family: health.Family(hush)})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			err := open()
			require.Error(t, err)
			require.NotContains(t, err.Error(), hush[:8])
		})
	}
}
