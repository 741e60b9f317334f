package otlp

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"time"

	"go.opentelemetry.io/collector/config/configgrpc"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"

	"github.com/slowburn/slowburn/internal/bytesize"
	"github.com/slowburn/slowburn/internal/cgroup"
	"github.com/slowburn/slowburn/processor/otlp/internal/intake"
)

// Config is the configuration of a receiver: that of the Collector's otlp receiver, and keys of ours.
type Config struct {
	// Protocols to listen on. Those that are not named are off.
	Protocols Protocols `mapstructure:"protocols"`
	// WirePath passes trace requests on as the bytes that arrived. The converter of package wirepath sets it to true for
	// receivers whose pipelines can take them, to false for others with traces, and refuses what a user writes. It is nil
	// where the converter is not part of the distribution: then everything is decoded.
	WirePath *bool `mapstructure:"wire_path"`
	// IntakeBudget is the memory that requests may take on their way in: bodies, and what they are decompressed and decoded
	// to. All receivers of the process share it, so those that set it must agree. Default: an eighth of the memory that the
	// process may use, from 64 MiB to 512 MiB.
	IntakeBudget bytesize.Size `mapstructure:"intake_budget"`
	// MaxResourceSize is how long the attributes and names of a resource may be, in bytes of protobuf, and those of a scope: they
	// are stored and sent with every trace that has them. Spans of larger ones are rejected by partial success. Default 256KiB.
	MaxResourceSize bytesize.Size `mapstructure:"max_resource_size"`
	// MaxConnections is how many connections each listener takes at a time. What comes beyond is closed at once. Default 4096.
	MaxConnections int `mapstructure:"max_connections"`
	// ReceiveTimeout is the time within which a request has to have arrived, from its headers to its last byte, over either
	// protocol. Default 30s.
	ReceiveTimeout time.Duration `mapstructure:"receive_timeout"`
}

// Budget returns the intake budget in bytes: the one that is configured, or the default. It may be used before Validate.
func (c *Config) Budget() int64 {
	if c.IntakeBudget > 0 {
		return int64(c.IntakeBudget)
	}
	return DefaultIntakeBudget()
}

// DefaultIntakeBudget returns the intake budget in bytes of a process in which no receiver sets one.
func DefaultIntakeBudget() int64 {
	memory, _ := cgroup.Limit() // 0 where it is not known, and so the least
	return intake.DefaultLimit(memory)
}

func (c *Config) wirePath() bool { return c.WirePath != nil && *c.WirePath }

// Protocols are the ways in.
type Protocols struct {
	GRPC configoptional.Optional[configgrpc.ServerConfig] `mapstructure:"grpc"`
	HTTP configoptional.Optional[HTTPConfig]              `mapstructure:"http"`
}

// HTTPConfig is the configuration of OTLP over HTTP.
type HTTPConfig struct {
	ServerConfig confighttp.ServerConfig `mapstructure:",squash"`
	// TracesURLPath is where traces are posted to. Default /v1/traces.
	TracesURLPath URLPath `mapstructure:"traces_url_path,omitempty"`
	// MetricsURLPath is where metrics are posted to. Default /v1/metrics.
	MetricsURLPath URLPath `mapstructure:"metrics_url_path,omitempty"`
}

// URLPath is the path of a URL. Its leading slash may be left out in YAML.
type URLPath string

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *URLPath) UnmarshalText(text []byte) error {
	u, err := url.Parse(string(text))
	if err != nil {
		return fmt.Errorf("no URL path: %w", err)
	}
	if !path.IsAbs(u.Path) {
		u.Path = "/" + u.Path
	}
	*p = URLPath(u.Path)
	return nil
}

// Validate implements confmap.Validator.
func (c *Config) Validate() error {
	var errs []error
	if c.IntakeBudget != 0 && c.IntakeBudget < minIntakeBudget {
		errs = append(errs, fmt.Errorf("intake_budget: %s is too small for a single request; write at least %s, or leave it out",
			c.IntakeBudget, bytesize.Size(minIntakeBudget)))
	}
	if n := c.MaxResourceSize; n < leastResourceSize || n > mostResourceSize {
		errs = append(errs, fmt.Errorf("max_resource_size: %s is not from %s to %s; write a size such as %s, or leave it out",
			n, bytesize.Size(leastResourceSize), bytesize.Size(mostResourceSize), bytesize.Size(defaultResourceSize)))
	}
	if c.MaxConnections <= 0 {
		errs = append(errs, fmt.Errorf("max_connections: %d lets nobody in; write a positive number", c.MaxConnections))
	}
	if c.ReceiveTimeout <= 0 {
		errs = append(errs, fmt.Errorf("receive_timeout: %s leaves no time to send a request; write a duration such as 30s", c.ReceiveTimeout))
	}
	return errors.Join(append(errs, c.validateProtocols())...)
}

// Bounds of MaxResourceSize. Less would reject what SDKs detect by themselves. Of more, few traces would fill the requests that
// backends take, which are 4 MiB. The default is what the annotations of a Kubernetes object may be.
const (
	leastResourceSize   = 4 << 10
	defaultResourceSize = 256 << 10
	mostResourceSize    = 1 << 20
)

// minIntakeBudget is the least budget that makes sense.
const minIntakeBudget = 1 << 20

func (c *Config) validateProtocols() error {
	if !c.Protocols.GRPC.HasValue() && !c.Protocols.HTTP.HasValue() {
		return errors.New("protocols: is empty; write grpc, http or both: {grpc: {}, http: {}}")
	}
	return nil
}

// Validate implements confmap.Validator.
func (c *HTTPConfig) Validate() error {
	if c.TracesURLPath == c.MetricsURLPath {
		return fmt.Errorf("traces_url_path: %q is that of metrics_url_path too; write different ones", c.TracesURLPath)
	}
	return nil
}
