package doors_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/slowburn/slowburn/web/internal/doors"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestKnown(t *testing.T) {
	h := doors.NewHosts("slowburn.example.com", "*.Team.example.", "my_container", "")
	for _, host := range []string{
		"", "localhost", "localhost:8080", "LOCALHOST.:8080", "slowburn.localhost", "127.0.0.1", "127.0.0.1:8080", "10.1.2.3:1", "[::1]", "[::1]:8080", "::1",
		"[fe80::1%25eth0]:8080", "slowburn.example.com", "SlowBurn.Example.COM.:443", "a.team.example", "a.b.team.example:8080", "my_container:8080",
	} {
		assert.True(t, h.Known(host), host)
	}
	for _, host := range []string{
		"evil.example", "evil.example:8080", "localhost.evil.example", "notlocalhost", ".localhost", "127.0.0.1.nip.io", "127.0.0.1.evil.example", "127.1",
		"2130706433", "0x7f.0.0.1", "team.example", "xteam.example", ".team.example", "xslowburn.example.com", "slowburn.example.com.evil.example", "evil@127.0.0.1", "127.0.0.1:8080:80",
		"evil.example:127.0.0.1", "[evil.example]", "[evil.example]:80", "slowburn.example.com..", " localhost", "*", "127.0.0.1:http", "[::1]:80.evil.example",
	} {
		assert.False(t, h.Known(host), host)
	}
	assert.True(t, doors.NewHosts("*").Known("evil.example"))
}

func TestValidHost(t *testing.T) {
	for _, p := range []string{"", "a", "slowburn.example.com", "*.example.com", "*", "xn--bcher-kva.example", "my_container", "1e5", "Example.COM."} {
		require.NoError(t, doors.ValidHost(p), p)
	}
	for p, want := range map[string]string{
		"https://slowburn.example.com": "is a URL", "slowburn:8080": "has a port", "a..b": "no host name", "*.": "no host name", "a.*.b": "no host name",
		"**.a": "no host name", "-a": "no host name", "bücher.example": "xn--", "a b": "no host name", strings.Repeat("a", 254): "no host name",
	} {
		require.ErrorContains(t, doors.ValidHost(p), want, p)
	}
}

// FuzzHosts: a name below another site's name is not accepted, whatever it begins with, and no Host panics.
func FuzzHosts(f *testing.F) {
	for _, seed := range []string{"localhost", "[::1]:80", "evil.example", "1.2.3.4", "[", "]:", "%", "a\x00b", "[::1]evil.example"} {
		f.Add(seed)
	}
	h := doors.NewHosts("slowburn.example.com")
	f.Fuzz(func(t *testing.T, host string) {
		if h.Known(host + ".evil.example") {
			t.Errorf("%q is known below another site's name", host)
		}
	})
}
