package sli

import (
	"errors"
	"fmt"
	"math"
	"time"

	"go.opentelemetry.io/collector/component"

	"github.com/slowburn/slowburn/internal/cgroup"
	"github.com/slowburn/slowburn/internal/units"
	"github.com/slowburn/slowburn/slo/sli/internal/count"
)

// Config is the configuration of the connector `sli`.
type Config struct {
	// Directory holds the file of counts. It is created if missing. Connectors may share it: a file has the ID of its
	// connector.
	Directory string `mapstructure:"directory"`
	// Interval is how often the metrics are sent, aligned to the wall clock: at 10s at :00, :10, :20 and so on.
	Interval time.Duration `mapstructure:"interval"`
	// Expiry is how long a series without a new span is kept. 0 keeps it until shutdown.
	Expiry time.Duration `mapstructure:"expiry"`
	// Limits bound the number of series.
	Limits Limits `mapstructure:"limits"`
	// Repeats configures how re-sent requests are recognized.
	Repeats Repeats `mapstructure:"repeats"`
	// WirePath passes decoded spans on as the bytes that they were scanned from. The converter of package wirepath sets it if
	// all components between here and the decision read bytes, and refuses it from users.
	WirePath bool `mapstructure:"wire_path"`

	_ struct{}
}

// Repeats configures how a request is recognized that a sender re-sends for want of an answer. Such a request is acknowledged,
// and neither counted nor passed on again.
type Repeats struct {
	// Window is how long requests are remembered. 0 remembers none: re-sent requests are then counted and passed on.
	Window time.Duration `mapstructure:"window"`
	// Memory bounds the memory of remembered requests. Over it the oldest are evicted.
	Memory units.Size `mapstructure:"memory"`

	_ struct{}
}

// Limits bounds the values of labels, and the number of series. Values above a limit are counted under __other__.
type Limits struct {
	// Services is the most service names. Those that an objective names come on top.
	Services int `mapstructure:"services"`
	// Operations is the most span names of a service. Those that an objective names come on top.
	Operations int `mapstructure:"operations"`
	// Versions is the most service versions of a service that objectives distinguish at a time.
	Versions int `mapstructure:"versions"`
	// Reasons is the most reasons of bad events of a service, beside "error" and "latency".
	Reasons int `mapstructure:"reasons"`
	// Series is the most time series of all kinds together: calls, durations, total and bad events. Those that an objective names
	// and those of __other__ come on top. 0 is a thirty-second part of the memory limit, at 1280 bytes each: between 5000 and
	// 200000.
	Series int `mapstructure:"series"`

	_ struct{}
}

func (l Limits) count() count.Limits {
	return count.Limits{Services: l.Services, Operations: l.Operations, Versions: l.Versions, Reasons: l.Reasons, Series: l.series()}
}

const (
	// seriesBytes is the most memory of a series: half of a duration histogram with all its buckets, its labels and its place
	// in the tables, with a quarter for garbage.
	seriesBytes = 1280
	// seriesShare is the divisor of the memory limit that gives the default of Limits.Series, which is bounded by leastSeries
	// and mostSeries.
	seriesShare             = 32
	leastSeries, mostSeries = 5_000, 200_000
)

// series returns Series, or its default if it is 0.
func (l Limits) series() int {
	if l.Series > 0 {
		return l.Series
	}
	limit, ok := cgroup.Limit()
	if !ok {
		return mostSeries
	}
	return seriesWithin(limit)
}

func seriesWithin(limit int64) int {
	return int(min(max(limit/seriesShare/seriesBytes, leastSeries), mostSeries))
}

// MemoryShare returns how much memory counting takes at most, in bytes, how many series that is for, which the time series
// database stores too, and the key of their limit.
func (c *Config) MemoryShare() (key string, bytes int64, series int) {
	const requests = 4 << 20 // records that are not folded yet, and a batch of metrics on its way
	n := c.Limits.series()
	return "limits::series", int64(n)*seriesBytes + int64(c.Repeats.Memory) + requests, n
}

var _ component.Config = (*Config)(nil)

func createDefaultConfig() component.Config {
	return &Config{
		Directory: "slowburn-data",
		Interval:  10 * time.Second,
		Expiry:    time.Hour,
		Limits:    Limits{Services: 200, Operations: 100, Versions: 20, Reasons: 30},
		Repeats:   Repeats{Window: 10 * time.Minute, Memory: 16 << 20},
	}
}

const (
	maxRepeatsWindow = 24 * time.Hour
	minRepeatsMemory = 64 << 10

	minSeries, maxSeries = 1000, 100_000_000
)

// minExpiry is how far back an instant query looks for a sample: a series that expired sooner would still be shown.
const minExpiry = 5 * time.Minute

// Validate returns everything that is wrong with the configuration, joined.
func (c *Config) Validate() error {
	var errs []error
	if c.Interval < time.Second || time.Minute%c.Interval != 0 {
		errs = append(errs, fmt.Errorf("interval: %s does not divide a minute, or is below 1s; write 5s, 10s, 15s or 30s", c.Interval))
	}
	if c.Expiry != 0 && c.Expiry < minExpiry {
		errs = append(errs, fmt.Errorf("expiry: %s is too short; write 0, which keeps series until shutdown, or at least %s", c.Expiry, minExpiry))
	}
	if c.Directory == "" {
		errs = append(errs, errors.New("directory: is empty; write where counts are kept, so that a crash loses none"))
	}
	if w := c.Repeats.Window; w < 0 || w > maxRepeatsWindow || w > 0 && w < time.Second {
		errs = append(errs, fmt.Errorf("repeats::window: %s is not from 1s to %s; write a duration such as 10m, or 0 to recognize no repeats", w, maxRepeatsWindow))
	}
	if c.Repeats.Memory < minRepeatsMemory || c.Repeats.Memory > math.MaxInt32 {
		errs = append(errs, fmt.Errorf("repeats::memory: %s is not from %s to 2GiB; write 16MiB, or repeats::window: 0 to recognize no repeats",
			c.Repeats.Memory, units.Size(minRepeatsMemory)))
	}
	for _, l := range []struct {
		key string
		n   int
	}{
		{"services", c.Limits.Services},
		{"operations", c.Limits.Operations},
		{"versions", c.Limits.Versions},
		{"reasons", c.Limits.Reasons},
	} {
		if l.n < 1 {
			errs = append(errs, fmt.Errorf("limits::%s: %d is not at least 1; write more", l.key, l.n))
		}
	}
	if n := c.Limits.Series; n != 0 && (n < minSeries || n > maxSeries) {
		errs = append(errs, fmt.Errorf("limits::series: %d is not from %d to %d; leave it out for a part of the memory limit", n, minSeries, maxSeries))
	}
	return errors.Join(errs...)
}
