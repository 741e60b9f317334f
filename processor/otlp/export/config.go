package export

import (
	"fmt"

	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/otlpexporter"
	"go.opentelemetry.io/collector/exporter/otlphttpexporter"

	"github.com/slowburn/slowburn/internal/units"
)

// GRPCConfig is the configuration of the Collector's otlp_grpc, with its queue and retries off, and with a key of
// ours.
type GRPCConfig struct {
	Collector otlpexporter.Config `mapstructure:",squash"`
	// MaxRequestSize is the largest request with kept traces, uncompressed.
	MaxRequestSize units.Size `mapstructure:"max_request_size"`
}

// HTTPConfig is the same for otlp_http.
type HTTPConfig struct {
	Collector      otlphttpexporter.Config `mapstructure:",squash"`
	MaxRequestSize units.Size              `mapstructure:"max_request_size"`
}

const (
	// defaultRequest leaves 10 % of room below the 4 MiB that receivers of OTLP take by default.
	defaultRequest units.Size = 3686 << 10
	// minRequest is the size that every destination is expected to take.
	minRequest units.Size = 64 << 10
	// maxRequest keeps requests far below the limits of offsets and gRPC.
	maxRequest units.Size = 1 << 30
)

func newGRPCConfig() *GRPCConfig {
	cfg := *otlpexporter.NewFactory().CreateDefaultConfig().(*otlpexporter.Config)
	cfg.QueueConfig = configoptional.Default(exporterhelper.NewDefaultQueueConfig())
	cfg.RetryConfig.Enabled = false
	return &GRPCConfig{Collector: cfg, MaxRequestSize: defaultRequest}
}

func newHTTPConfig() *HTTPConfig {
	cfg := *otlphttpexporter.NewFactory().CreateDefaultConfig().(*otlphttpexporter.Config)
	cfg.QueueConfig = configoptional.Default(exporterhelper.NewDefaultQueueConfig())
	cfg.RetryConfig.Enabled = false
	return &HTTPConfig{Collector: cfg, MaxRequestSize: defaultRequest}
}

// Unmarshal implements confmap.Unmarshaler.
func (c *GRPCConfig) Unmarshal(conf *confmap.Conf) error {
	return unmarshal(conf, &c.MaxRequestSize, &c.Collector)
}

// Unmarshal implements confmap.Unmarshaler.
func (c *HTTPConfig) Unmarshal(conf *confmap.Conf) error {
	return unmarshal(conf, &c.MaxRequestSize, &c.Collector)
}

// unmarshal reads our key and leaves the others to the Collector's configuration: parts of it unmarshal themselves, which
// confmap does not see through two levels of squash.
func unmarshal(conf *confmap.Conf, size *units.Size, collector any) error {
	const key = "max_request_size"
	if conf.IsSet(key) {
		own := struct {
			Size *units.Size `mapstructure:"max_request_size"`
		}{size}
		if err := confmap.NewFromStringMap(map[string]any{key: conf.Get(key)}).Unmarshal(&own); err != nil {
			return err
		}
		conf.Delete(key)
	}
	return conf.Unmarshal(collector)
}

// Validate implements confmap.Validator.
func (c *GRPCConfig) Validate() error { return validRequest(c.MaxRequestSize) }

// Validate implements confmap.Validator.
func (c *HTTPConfig) Validate() error { return validRequest(c.MaxRequestSize) }

func validRequest(size units.Size) error {
	if size < minRequest || size > maxRequest {
		return fmt.Errorf("max_request_size: %v is not from %v to %v; write 4MiB, which backends take by default, or what yours takes", size, minRequest, maxRequest)
	}
	return nil
}
