package ports

import (
	"errors"
	"fmt"
	"net"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// whole is a configuration with an address of each kind, some of them of unused components.
var whole = map[string]any{
	"receivers": map[string]any{
		"otlp":   map[string]any{"protocols": map[string]any{"grpc": map[string]any{"endpoint": "localhost:4317"}, "http": map[string]any{"endpoint": ":4318"}}},
		"unused": map[string]any{"endpoint": "127.0.0.1:99"},
	},
	"exporters":  map[string]any{"otlp_grpc": map[string]any{"endpoint": "127.0.0.1:14317"}},
	"extensions": map[string]any{"web": map[string]any{"endpoint": "nowhere.invalid:8080"}, "tsdb": map[string]any{"remote": map[string]any{"endpoint": "http://mimir:8080"}}},
	"service": map[string]any{
		"extensions": []any{"web", "tsdb"},
		"pipelines":  map[string]any{"traces": map[string]any{"receivers": []any{"otlp"}, "exporters": []any{"otlp_grpc"}}},
		"telemetry": map[string]any{"metrics": map[string]any{"readers": []any{
			map[string]any{"periodic": map[string]any{"exporter": map[string]any{"otlp": map[string]any{"endpoint": "127.0.0.1:4317"}}}},
			map[string]any{"pull": map[string]any{"exporter": map[string]any{"prometheus": map[string]any{"host": "localhost", "port": 65535}}}},
		}}},
	},
}

func listen(address string, cause error) error {
	a, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		panic(err)
	}
	return fmt.Errorf("failed to start: %w", errors.Join(errors.New("other"), &net.OpError{Op: "listen", Net: "tcp", Addr: a, Err: cause}))
}

func TestExplain(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want string // empty: the original error
	}{
		"none":                           {nil, ""},
		"another error":                  {errors.New("x"), ""},
		"a connection that fails":        {&net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 4317}, Err: syscall.ECONNREFUSED}, ""},
		"an address that no key has":     {listen("127.0.0.1:1", syscall.EADDRINUSE), ""},
		"of a component that nobody has": {listen("127.0.0.1:99", syscall.EADDRINUSE), ""},
		"of an exporter":                 {listen("127.0.0.1:14317", syscall.EADDRINUSE), ""},
		"a name":                         {listen("127.0.0.1:4317", syscall.EADDRINUSE), "receivers::otlp::protocols::grpc::endpoint: localhost:4317 is in use by another process; stop that one, or write another port, such as localhost:4327"},
		"all addresses":                  {listen("[::]:4318", syscall.EADDRINUSE), "receivers::otlp::protocols::http::endpoint: :4318 is in use by another process; stop that one, or write another port, such as :4328"},
		"the last port":                  {listen("127.0.0.1:65535", syscall.EADDRINUSE), "service::telemetry::metrics::readers[1]::pull::exporter::prometheus::port: localhost:65535 is in use by another process; stop that one, or write another port, such as 65525"},
		"no right":                       {listen("127.0.0.1:4317", syscall.EACCES), "receivers::otlp::protocols::grpc::endpoint: localhost:4317 may not be listened on by this user; write a port from 1024 on, or give the process CAP_NET_BIND_SERVICE"},
		"a name that nobody knows": {
			&net.OpError{Op: "listen", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "nowhere.invalid"}},
			"extensions::web::endpoint: nowhere.invalid:8080 cannot be listened on; write an address of this machine and a port, such as 127.0.0.1:4317 (lookup nowhere.invalid: no such host)",
		},
	} {
		got := Explain(c.err, whole)
		if c.want == "" {
			assert.Equal(t, c.err, got, name)
			continue
		}
		assert.EqualError(t, got, c.want, name)
		assert.ErrorIs(t, got, c.err, name)
	}
}
