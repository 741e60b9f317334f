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

	"github.com/slowburn/slowburn/internal/cgroup"
	"github.com/slowburn/slowburn/internal/units"
	"github.com/slowburn/slowburn/processor/otlp/internal/intake"
)

// Config is the configuration of the Collector's otlp receiver, with keys of ours.
type Config struct {
	// Protocols to listen on. A protocol that is not named is off.
	Protocols Protocols `mapstructure:"protocols"`
	// WirePath passes trace requests on as the bytes that arrived. The converter of package wirepath sets it to true for
	// receivers whose pipelines can take bytes, to false for others with traces, and refuses it in a file. It is nil in a
	// distribution without the converter: then everything is decoded.
	WirePath *bool `mapstructure:"wire_path"`
	// IntakeBudget limits the memory of incoming requests: their bodies, decompressed and decoded. All receivers of the
	// process share it, so those that set it must agree. Default: an eighth of the memory that the process may use, from 64
	// MiB to 512 MiB.
	IntakeBudget units.Size `mapstructure:"intake_budget"`
	// MaxResourceSize limits the attributes and names of a resource, and those of a scope, in bytes of protobuf: they are stored
	// and sent with every trace that has them. Spans of larger ones are rejected by partial success. Default 256KiB.
	MaxResourceSize units.Size `mapstructure:"max_resource_size"`
	// MaxConnections limits the open connections of each listener. Further ones are closed at once. Default 4096.
	MaxConnections int `mapstructure:"max_connections"`
	// ReceiveTimeout is the time within which a request must arrive, from its headers to its last byte, over either
	// protocol. Default 30s.
	ReceiveTimeout time.Duration `mapstructure:"receive_timeout"`
}

// Budget returns the intake budget in bytes: the configured one, or the default. It may be called before Validate.
func (c *Config) Budget() int64 {
	if c.IntakeBudget > 0 {
		return int64(c.IntakeBudget)
	}
	return DefaultIntakeBudget()
}

// DefaultIntakeBudget returns the intake budget in bytes of a process in which no receiver sets one.
func DefaultIntakeBudget() int64 {
	memory, _ := cgroup.Limit() // 0 if unknown, which gives the least
	return intake.DefaultLimit(memory)
}

// SharedBudget returns the intake budget in bytes that receivers of these configurations share: the one that is configured, or the
// default. Receivers that configure different ones are refused.
func SharedBudget(configs []*Config) int64 {
	for _, c := range configs {
		if c.IntakeBudget > 0 {
			return c.Budget()
		}
	}
	return DefaultIntakeBudget()
}

// WarningOfBudget returns what is odd about a valid configuration where all receivers share an intake budget of so many bytes, as it is
// logged at the start. It is empty where nothing is.
func (c *Config) WarningOfBudget(budget int64) string {
	if !c.Protocols.GRPC.HasValue() {
		return ""
	}
	longest := intake.NewBudget(budget).LargestMessage()
	allowed := longestMessage(c.Protocols.GRPC.Get())
	if longest >= allowed {
		return ""
	}
	return fmt.Sprintf("messages over %s are refused, though protocols::grpc::max_recv_msg_size_mib allows %s: an intake_budget of %s has no room for "+
		"longer ones; raise intake_budget, or lower max_recv_msg_size_mib", units.About(longest), units.About(allowed), units.About(budget))
}

func (c *Config) wirePath() bool { return c.WirePath != nil && *c.WirePath }

// Protocols are the protocols to listen on.
type Protocols struct {
	GRPC configoptional.Optional[configgrpc.ServerConfig] `mapstructure:"grpc"`
	HTTP configoptional.Optional[HTTPConfig]              `mapstructure:"http"`
}

// HTTPConfig is the configuration of OTLP over HTTP.
type HTTPConfig struct {
	ServerConfig confighttp.ServerConfig `mapstructure:",squash"`
	// TracesURLPath is the path for POSTs of traces. Default /v1/traces.
	TracesURLPath URLPath `mapstructure:"traces_url_path,omitempty"`
	// MetricsURLPath is the path for POSTs of metrics. Default /v1/metrics.
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
			c.IntakeBudget, units.Size(minIntakeBudget)))
	}
	if n := c.MaxResourceSize; n < leastResourceSize || n > mostResourceSize {
		errs = append(errs, fmt.Errorf("max_resource_size: %s is not from %s to %s; write a size such as %s, or leave it out",
			n, units.Size(leastResourceSize), units.Size(mostResourceSize), units.Size(defaultResourceSize)))
	}
	if c.MaxConnections <= 0 {
		errs = append(errs, fmt.Errorf("max_connections: %d lets nobody in; write a positive number", c.MaxConnections))
	}
	if c.ReceiveTimeout <= 0 {
		errs = append(errs, fmt.Errorf("receive_timeout: %s leaves no time to send a request; write a duration such as 30s", c.ReceiveTimeout))
	}
	return errors.Join(append(errs, c.validateProtocols())...)
}

// Bounds of MaxResourceSize. Less would reject what SDKs detect by themselves. With more, few traces would fill the 4 MiB
// requests that backends accept. The default is the limit of a Kubernetes object's annotations.
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
