package web

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"reflect"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/confignet"
	"go.opentelemetry.io/collector/confmap"

	"github.com/slowburn/slowburn/internal/problems"
	"github.com/slowburn/slowburn/internal/units"
	"github.com/slowburn/slowburn/web/internal/doors"
	"github.com/slowburn/slowburn/web/internal/reads"
)

// Config is the `web` extension's part of the YAML: the Collector's own HTTP server settings (endpoint, tls, auth,
// cors, timeouts), where the pages hang, and who may come in.
type Config struct {
	// HTTP has a name because embedding would promote its Unmarshal, which reads its own keys and drops all others.
	HTTP confighttp.ServerConfig `mapstructure:",squash"`

	// BasePath is the path prefix below which everything is served, such as /slowburn, for a reverse proxy that hands on
	// the whole path. Empty is the root, which also suits a proxy that cuts the prefix off: the pages link relatively.
	BasePath string `mapstructure:"base_path"`

	// Hosts are the names by which people and programs reach the listener, beside localhost, the name in endpoint, that of
	// slo::external_url, and IP addresses: slowburn.example.com, *.example.com for all below it, * for any. A request with another name
	// is refused (421), or a page of another site could reach the listener under a name of its own (DNS rebinding).
	Hosts []string `mapstructure:"hosts"`

	// Operators are the subjects, as auth's extension names them, from whom changes are taken: reload, promote, retry, drain.
	// An extension that names nobody (bearertokenauth) counts as a subject itself, by its ID. Without auth changes are
	// taken from loopback only.
	Operators []string `mapstructure:"operators"`

	// MaxConnections is how many connections may be open, and how many requests in flight.
	MaxConnections int `mapstructure:"max_connections"`

	// MaxHeaderSize is how long a request's line and headers may be.
	MaxHeaderSize units.Size `mapstructure:"max_header_size"`

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
			errs = append(errs, fmt.Errorf("%s: is no key%s", key, problems.Suggestion(key, keys)))
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
	server.ReadHeaderTimeout = 10 * time.Second
	server.MaxRequestBodySize = 256 << 10 // the only bodies are PromQL queries
	return &Config{HTTP: server, MaxConnections: 512, MaxHeaderSize: 64 << 10, Reads: reads.Default()}
}

// ReadMemory returns the key and the size of the memory of all reads, for the sum of the process's memory.
func (c *Config) ReadMemory() (key string, bytes int64) {
	return "reads::memory", c.Reads.MemoryWithin(debug.SetMemoryLimit(-1))
}

// basePath is what needs no escaping in a URL and no cleaning.
var basePath = regexp.MustCompile(`^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+$`)

// Validate names every key that is wrong.
func (c *Config) Validate() error {
	var errs []error
	if c.HTTP.NetAddr.Transport != confignet.TransportTypeUnix {
		if _, _, err := net.SplitHostPort(c.HTTP.NetAddr.Endpoint); err != nil {
			errs = append(errs, fmt.Errorf("endpoint: %q is not host:port; write one such as 127.0.0.1:8080", c.HTTP.NetAddr.Endpoint))
		}
	}
	if c.BasePath != "" && !basePath.MatchString(c.BasePath) {
		errs = append(errs, fmt.Errorf("base_path: %q is no path; write segments of letters, digits and ._~- that each begin with a slash, such as /slowburn", c.BasePath))
	}
	return errors.Join(append(errs, c.validateDoors()...)...)
}

const (
	minConnections = 8
	minHeaderSize  = 4 << 10
	maxHeaderSize  = 1 << 20
)

func (c *Config) validateDoors() (errs []error) {
	for i, pattern := range c.Hosts {
		if err := doors.ValidHost(pattern); err != nil {
			errs = append(errs, fmt.Errorf("hosts[%d]: %w", i, err))
		}
	}
	if len(c.Operators) > 0 && !c.HTTP.Auth.HasValue() {
		errs = append(errs, errors.New("operators: has no meaning without auth, which says who asks; set web::auth, or leave operators out, which takes changes from loopback"))
	}
	if i := slices.Index(c.Operators, ""); i >= 0 {
		errs = append(errs, fmt.Errorf("operators[%d]: is empty; write a subject as the extension of auth names it", i))
	}
	if c.MaxConnections < minConnections {
		errs = append(errs, fmt.Errorf("max_connections: %d is too few for a browser and the probes; write at least %d", c.MaxConnections, minConnections))
	}
	if c.MaxHeaderSize < minHeaderSize || c.MaxHeaderSize > maxHeaderSize {
		errs = append(errs, fmt.Errorf("max_header_size: %s is not from 4KiB to 1MiB; write a size such as 64KiB", c.MaxHeaderSize))
	}
	return errs
}
