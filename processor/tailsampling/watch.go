package tailsampling

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/slowburn/slowburn/internal/host"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/refuse"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/watch"
)

// leastWatch is the least interval. A shorter one is a number without its unit, taken for nanoseconds.
const leastWatch = time.Second

func (cfg *Config) validateWatch(bad func(string, ...any)) {
	if w := cfg.Watch; w != 0 && w < leastWatch {
		bad("watch: %v must be at least %v; write it with a unit, such as 10s, or 0 to read the policies again only when asked to", w, leastWatch)
	}
}

// same reports whether two readings are equal, or failed alike. All keys count, as a reload also reports changes that need a
// restart.
func (r reading) same(other reading) bool {
	if r.err != nil || other.err != nil {
		return r.err != nil && other.err != nil && r.err.Error() == other.err.Error()
	}
	return reflect.DeepEqual(r.cfg, other.cfg)
}

// watch reloads the policies when the configuration has changed. When stop has returned it has ended. An invalid
// configuration is tried once, and again after its next change.
func (p *policies) watch() (stop func()) {
	if p.cfg.Watch == 0 {
		return func() {}
	}
	w := watch.Watcher[reading]{
		Interval: p.cfg.Watch,
		Read: func(ctx context.Context) reading {
			p.reading.Lock()
			defer p.reading.Unlock()
			ctx, cancel := context.WithTimeout(ctx, loadTimeout)
			defer cancel()
			return p.load(ctx)
		},
		Same: reading.same,
		Apply: func(r reading) (done bool) {
			_, err := p.take(r)
			return !errors.Is(err, refuse.ErrRecovering) && !errors.Is(err, errTooManyVersions)
		},
	}
	return w.Start(reading{cfg: p.cfg})
}

// health adds a failed last reload to the findings. Spans are accepted all the same.
func (p *policies) health(found host.Health) host.Health {
	p.swapping.Lock()
	failed := p.current.failed
	p.swapping.Unlock()
	if failed == nil {
		return found
	}
	found.OK = false
	found.Message = fmt.Sprintf("%s. Reloading the policies failed at %s, version %d stays: %s",
		found.Message, failed.At.Format(time.RFC3339), p.versions.Current().Number, failed.Detail)
	return found
}
