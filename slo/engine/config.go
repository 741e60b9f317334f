package engine

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"

	"github.com/slowburn/slowburn/internal/units"
	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/alert"
	"github.com/slowburn/slowburn/slo/notify"
	"github.com/slowburn/slowburn/slo/spec"
)

// Config is the configuration of the extension `slo`.
type Config struct {
	// Directory holds the file slo.db, with the ledger, the alerts and the outbox.
	Directory string `mapstructure:"directory"`
	// TSDB is the ID of the extension that answers queries.
	TSDB component.ID `mapstructure:"tsdb"`
	// ExternalURL is the base URL of the dashboard, for links in alerts. Empty means defaultExternalURL.
	ExternalURL string `mapstructure:"external_url"`
	// Lateness is how far evaluation stays behind the clock, to let samples arrive.
	Lateness time.Duration `mapstructure:"lateness"`
	// LateWindow is how long after a span ended its event still counts in the minute in which it ended. Older events count in the oldest
	// minute of the window, and in no short window of an alert. 0 counts all events in the minute in which they arrive.
	LateWindow time.Duration `mapstructure:"late_window"`
	// MaxSize limits the part of slo.db that is in use; over it the oldest data are given up (package room).
	MaxSize units.Size `mapstructure:"max_size"`
	// Files are glob patterns of files with objectives.
	Files      []string         `mapstructure:"files"`
	Objectives []spec.Objective `mapstructure:"objectives"`
	Receivers  []notify.Config  `mapstructure:"receivers"`

	_ struct{}
}

const (
	maxLateness = 10 * time.Minute
	// maxLateWindow is the oldest age that the connector sli tells apart.
	maxLateWindow = 15 * time.Minute
	minSize       = 16 << 20
	// defaultExternalURL is the default address of `web`.
	defaultExternalURL = "http://127.0.0.1:8080"
)

// Validate also reads the files, so that `slowburn validate` reports what is wrong in them.
func (c *Config) Validate() error {
	var errs []error
	if c.Directory == "" {
		errs = append(errs, errors.New("directory: is empty; write where the ledger and the outbox are kept"))
	}
	if u, err := url.Parse(c.externalURL()); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		errs = append(errs, fmt.Errorf("external_url: %q is no URL; write one such as http://127.0.0.1:8080", c.ExternalURL))
	}
	if c.Lateness < 0 || c.Lateness > maxLateness {
		errs = append(errs, fmt.Errorf("lateness: %s is not from 0s to %s; write a duration such as 1m", c.Lateness, maxLateness))
	}
	if w := c.LateWindow; w < 0 || w > maxLateWindow || w%time.Minute != 0 {
		errs = append(errs, fmt.Errorf("late_window: %s is not whole minutes from 0s to %s; write a duration such as %s, or 0s to count events in the minute "+
			"in which they arrive", w, maxLateWindow, maxLateWindow))
	}
	if c.MaxSize < minSize {
		errs = append(errs, fmt.Errorf("max_size: %s is too little; write at least 16MiB", c.MaxSize))
	}
	var receivers []string
	for i, r := range c.Receivers {
		if slices.Contains(receivers, r.Name) {
			errs = append(errs, fmt.Errorf("receivers[%d]::name: %q is taken; give each receiver a name of its own", i, r.Name))
		}
		receivers = append(receivers, r.Name)
		place := fmt.Sprintf("receivers[%d]", i)
		if r.Name != "" {
			place += " (" + r.Name + ")"
		}
		if err := spec.At(place, r.Problems()); err != nil {
			errs = append(errs, err)
		}
	}
	objectives, err := c.load()
	errs = append(errs, err)
	for _, o := range objectives {
		for _, r := range o.Receivers {
			if !slices.Contains(receivers, r) {
				errs = append(errs, fmt.Errorf("objectives %q::receivers: there is no receiver %q; add it to receivers, or correct the name", o.Name, r))
			}
		}
	}
	return errors.Join(errs...)
}

func (c *Config) load() ([]slo.Objective, error) { return spec.Load(c.Objectives, c.Files) }

func (c *Config) routes() []alert.Route {
	routes := make([]alert.Route, len(c.Receivers))
	for i := range c.Receivers {
		routes[i] = c.Receivers[i].Route()
	}
	return routes
}

func (c *Config) externalURL() string { return cmp.Or(c.ExternalURL, defaultExternalURL) }

// link returns the URL of an objective's page in the dashboard, whose routes are in the URL's fragment.
func (c *Config) link(objective string) string {
	return strings.TrimSuffix(c.externalURL(), "/") + "/#/objectives/" + url.PathEscape(objective)
}
