package web

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/confignet"
	"go.opentelemetry.io/collector/confmap"

	"github.com/slowburn/slowburn/web/internal/reads"
)

// Config is the `web` extension's part of the YAML: the Collector's own HTTP server settings (endpoint, tls, auth,
// cors, timeouts), and where the pages hang.
type Config struct {
	// HTTP has a name because embedding would promote its Unmarshal, which reads its own keys and drops all others.
	HTTP confighttp.ServerConfig `mapstructure:",squash"`

	// BasePath is the path prefix below which everything is served, such as /slowburn, for a reverse proxy that hands on
	// the whole path. Empty is the root, which also suits a proxy that cuts the prefix off: the pages link relatively.
	BasePath string `mapstructure:"base_path"`

	// Reads bounds what requests for traces and objectives take. Those for metrics have tsdb::query.
	Reads reads.Config `mapstructure:"reads"`

	_ struct{}
}

var _ confmap.Unmarshaler = (*Config)(nil)

// Unmarshal refuses keys that nothing reads: the server settings let them pass, and a misspelt auth would open the
// dashboard to everybody.
func (c *Config) Unmarshal(conf *confmap.Conf) error {
	keys := keysOf(reflect.TypeFor[Config]())
	var errs []error
	for _, key := range slices.Sorted(maps.Keys(conf.ToStringMap())) {
		if !slices.Contains(keys, key) {
			errs = append(errs, fmt.Errorf("%s: there is no such key: there are %s", key, strings.Join(keys, ", ")))
		}
	}
	return errors.Join(append(errs, conf.Unmarshal(c))...)
}

// keysOf are the YAML keys of a struct's fields, sorted.
func keysOf(t reflect.Type) (keys []string) {
	for field := range t.Fields() {
		key, options, _ := strings.Cut(field.Tag.Get(confmap.MapstructureTag), ",")
		switch {
		case strings.Contains(options, "squash"):
			keys = append(keys, keysOf(field.Type)...)
		case key != "":
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

func createDefaultConfig() component.Config {
	server := confighttp.NewDefaultServerConfig()
	server.NetAddr = confignet.AddrConfig{Transport: confignet.TransportTypeTCP, Endpoint: "127.0.0.1:8080"}
	// Longer than a query may take (tsdb::query_timeout, 30s), or its answer, even that it took too long, could not be
	// sent. A shorter read timeout would end the request's context while the query runs.
	server.WriteTimeout = time.Minute
	server.ReadTimeout = time.Minute
	server.MaxRequestBodySize = 1 << 20 // the only bodies are PromQL queries
	return &Config{HTTP: server, Reads: reads.Default()}
}

// basePath is what needs no escaping in a URL and no cleaning.
var basePath = regexp.MustCompile(`^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+$`)

// Validate names every key that is wrong.
func (c *Config) Validate() error {
	var errs []error
	if c.HTTP.NetAddr.Transport != confignet.TransportTypeUnix {
		if _, _, err := net.SplitHostPort(c.HTTP.NetAddr.Endpoint); err != nil {
			errs = append(errs, fmt.Errorf("endpoint: %q must be host:port, such as 127.0.0.1:8080", c.HTTP.NetAddr.Endpoint))
		}
	}
	if c.BasePath != "" && !basePath.MatchString(c.BasePath) {
		errs = append(errs, fmt.Errorf("base_path: %q must be segments of letters, digits and ._~- that each begin with a slash, such as /slowburn", c.BasePath))
	}
	return errors.Join(errs...)
}
