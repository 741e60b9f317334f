package tsdb

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/otlptranslator"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"

	"github.com/slowburn/slowburn/internal/units"
	"github.com/slowburn/slowburn/slo/tsdb/internal/batch"
)

const (
	// defaultRetention holds the 30 days of an objective's usual window, and days to look back from its start.
	defaultRetention = 35 * 24 * time.Hour
	// minRetention is the span of one block of the database, the smallest unit that is deleted.
	minRetention = 2 * time.Hour
	// defaultOutOfOrder is as long as a Collector's exporter retries by default (retry_on_failure::max_elapsed_time).
	// Metrics that such a retry brings late, after newer ones of the same series, still find their place. More would
	// let the past change long after alerts were decided on it.
	defaultOutOfOrder = 5 * time.Minute
	// lookback is how old a sample may be and still be the value of its series, PromQL's default.
	lookback = 5 * time.Minute
)

// Config is the configuration of the extension `tsdb`.
type Config struct {
	// Directory holds the database. It is created if it is missing, and used by one process at a time.
	Directory string `mapstructure:"directory"`
	// Retention is how long samples are kept.
	Retention model.Duration `mapstructure:"retention"`
	// RetentionSize is how many bytes the blocks may take before the oldest are deleted, such as 10GB. 0 is no limit.
	RetentionSize units.Size `mapstructure:"retention_size"`
	// MinFreeDisk is how many bytes of the volume stay free for others, the span log first of all: below it no samples are
	// stored. 0 is 5 % of the volume, at most 1 GiB.
	MinFreeDisk units.Size `mapstructure:"min_free_disk"`
	// OutOfOrderTimeWindow is how far a sample may lie behind the newest sample of the database and yet be out of
	// order within its series. 0 takes samples in order only.
	OutOfOrderTimeWindow model.Duration `mapstructure:"out_of_order_time_window"`
	// MaxSeries is how many series of others the head may have. A series counts as more than one for every 1024 bytes of its labels
	// and for every 16 buckets of a native histogram. Over it new ones are rejected; those of the gateway's own metrics come on
	// top. 0 is a sixteenth of the memory limit, at 2 KiB each: between 5000 and 500000.
	MaxSeries int `mapstructure:"max_series"`
	// Limits are about single requests and series.
	Limits LimitsConfig `mapstructure:"limits"`
	// Query bounds the queries of people.
	Query QueryConfig `mapstructure:"query"`
	// QueryTimeout is how long a query may take.
	QueryTimeout time.Duration `mapstructure:"query_timeout"`
	// Remote is the HTTP client of a Prometheus API (Prometheus, Mimir, Thanos) to query in place of an embedded
	// database. Its endpoint is the address below which /api/v1/query is found.
	Remote configoptional.Optional[confighttp.ClientConfig] `mapstructure:"remote"`
}

func defaultConfig() component.Config {
	return &Config{
		Directory:            filepath.Join("slowburn-data", "tsdb"),
		Retention:            model.Duration(defaultRetention),
		OutOfOrderTimeWindow: model.Duration(defaultOutOfOrder),
		Limits:               defaultLimits(),
		Query:                defaultQuery(),
		QueryTimeout:         30 * time.Second,
		Remote:               configoptional.Default(confighttp.NewDefaultClientConfig()),
	}
}

// Validate returns everything that is wrong with the configuration, joined.
func (c *Config) Validate() error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if c.QueryTimeout <= 0 {
		wrong("query_timeout: %s is not above 0; write a duration such as 30s", c.QueryTimeout)
	}
	errs = append(errs, c.Query.validate())
	if c.Remote.HasValue() {
		return errors.Join(append(errs, validateRemote(c.Remote.Get()))...)
	}
	if c.Directory == "" {
		wrong("directory: is empty; write where the time series database is kept")
	}
	if time.Duration(c.Retention) < minRetention {
		wrong("retention: %s is too short; write at least %s, which one block of the database spans",
			c.Retention, model.Duration(minRetention))
	}
	if c.OutOfOrderTimeWindow < 0 || c.OutOfOrderTimeWindow > c.Retention {
		wrong("out_of_order_time_window: %s is not from 0 to retention; write at most %s", c.OutOfOrderTimeWindow, c.Retention)
	}
	if c.MaxSeries != 0 && (c.MaxSeries < minSeries || c.MaxSeries > maxSeriesKey) {
		wrong("max_series: %d is not from %d to %d; leave it out for a sixteenth of the memory limit", c.MaxSeries, minSeries, maxSeriesKey)
	}
	c.Limits.validate(wrong)
	return errors.Join(errs...)
}

func validateRemote(remote *confighttp.ClientConfig) error {
	var errs []error
	switch u, err := url.Parse(remote.Endpoint); {
	case err != nil:
		errs = append(errs, fmt.Errorf("remote::endpoint: is no URL: %w", err))
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		errs = append(errs, fmt.Errorf("remote::endpoint: %q is no http or https URL; write one such as http://mimir:8080/prometheus",
			remote.Endpoint))
	case u.RawQuery != "" || u.Fragment != "":
		errs = append(errs, fmt.Errorf("remote::endpoint: %q has a query or a fragment; write it without", remote.Endpoint))
	}
	if remote.Compression.IsCompressed() {
		errs = append(errs, errors.New("remote::compression: must be left out; Prometheus' API reads no compressed requests"))
	}
	return errors.Join(errs...)
}

// ExporterConfig is the configuration of the exporter `tsdb`.
type ExporterConfig struct {
	// Extension is the ID of the tsdb extension that stores the metrics.
	Extension component.ID `mapstructure:"extension"`
	// PromoteResourceAttributes are the resource attributes that become labels of every series of the resource. A
	// data point's own attribute of that name has precedence. service.name and service.instance.id are in the labels
	// job and instance in any case, and all attributes are labels of target_info.
	PromoteResourceAttributes []string `mapstructure:"promote_resource_attributes"`
	// TranslationStrategy is how names of metrics become names of series, under the names that Prometheus has for it:
	// UnderscoreEscapingWithSuffixes, or UnderscoreEscapingWithoutSuffixes, which appends neither a unit nor _total.
	TranslationStrategy otlptranslator.TranslationStrategyOption `mapstructure:"translation_strategy"`
}

// naming returns how the exporter names series.
func (c *ExporterConfig) naming() batch.Naming {
	return batch.Naming{Promote: c.PromoteResourceAttributes, Suffixes: c.TranslationStrategy.ShouldAddSuffixes()}
}

func defaultExporterConfig() component.Config {
	return &ExporterConfig{
		Extension:           component.NewID(componentType),
		TranslationStrategy: otlptranslator.UnderscoreEscapingWithSuffixes,
		// Only what people group by and compare: each label is part of each series.
		PromoteResourceAttributes: []string{
			"service.name",
			"service.namespace",
			"service.version",
			"deployment.environment.name",
			"k8s.cluster.name",
			"k8s.namespace.name",
		},
	}
}

// Validate returns what is wrong with the configuration.
func (c *ExporterConfig) Validate() error {
	var errs []error
	for i, name := range c.PromoteResourceAttributes {
		if name == "" {
			errs = append(errs, fmt.Errorf("promote_resource_attributes[%d]: is empty; write the name of a resource attribute", i))
		}
	}
	switch c.TranslationStrategy {
	case otlptranslator.UnderscoreEscapingWithSuffixes, otlptranslator.UnderscoreEscapingWithoutSuffixes:
	default:
		errs = append(errs, fmt.Errorf("translation_strategy: %q is not one of %s, %s", c.TranslationStrategy,
			otlptranslator.UnderscoreEscapingWithSuffixes, otlptranslator.UnderscoreEscapingWithoutSuffixes))
	}
	return errors.Join(errs...)
}
