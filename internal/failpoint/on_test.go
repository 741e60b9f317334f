//go:build failpoint && unix

package failpoint

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestMain passes two points three times if the environment asks for it.
func TestMain(m *testing.M) {
	if os.Getenv("FAILPOINT_CHILD") == "" {
		os.Exit(m.Run())
	}
	for range 3 {
		Before(SpanlogAppend)
		_, _ = os.Stdout.WriteString("a")
		After(SpanlogAppend)
		Before(LedgerWrite)
		_, _ = os.Stdout.WriteString("l")
		After(LedgerWrite)
	}
	os.Exit(0)
}

func TestKillsAtTheHit(t *testing.T) {
	for value, done := range map[string]string{
		"":                        "alalal",
		"spanlog.append:before:1": "",
		"spanlog.append:after:1":  "a",
		"spanlog.append:before:3": "alal",
		"ledger.write:after:2":    "alal",
		"ledger.write:before:4":   "alalal",
		"counts.mark:before:1":    "alalal",
	} {
		t.Run(value, func(t *testing.T) {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), "FAILPOINT_CHILD=1", variable+"="+value)
			out, err := cmd.Output()
			assert.Equal(t, done, string(out))
			if strings.Count(done, "l") == 3 {
				require.NoError(t, err)
				return
			}
			status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
			require.True(t, ok)
			assert.Equal(t, syscall.SIGKILL, status.Signal())
		})
	}
}

func TestMalformedVariable(t *testing.T) {
	for _, value := range []string{"spanlog.append", "spanlog.append:after", "spanlog.append:during:1", "spanlog.append:after:0", "x:after:y", ":after:1"} {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "FAILPOINT_CHILD=1", variable+"="+value)
		out, err := cmd.CombinedOutput()
		require.Error(t, err, value)
		assert.Contains(t, string(out), "SLOWBURN_FAILPOINT: \""+value+"\" is not a point, a moment and a hit")
	}
}
