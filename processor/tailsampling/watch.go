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

// leastWatch distinguishes an interval from a number that was written without its unit, which is taken for nanoseconds.
const leastWatch = time.Second

func (cfg *Config) validateWatch(bad func(string, ...any)) {
	if w := cfg.Watch; w != 0 && w < leastWatch {
		bad("watch: %v must be at least %v; write it with a unit, such as 10s, or 0 to read the policies again only when asked to", w, leastWatch)
	}
}

// same reports whether two readings found the same, or fail in the same way. All keys count: a change of one that needs a restart is
// told by a reload, too.
func (r reading) same(other reading) bool {
	if r.err != nil || other.err != nil {
		return r.err != nil && other.err != nil && r.err.Error() == other.err.Error()
	}
	return reflect.DeepEqual(r.cfg, other.cfg)
}

// watch reloads the policies when the processor's configuration has changed, until stop was called and has returned.
// A configuration that is not valid is tried once, and again when it has changed.
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

// health adds to what was found that the last reload failed. Spans are taken all the same.
func (p *policies) health(found host.Health) host.Health {
	p.swapping.Lock()
	failed := p.current.failed
	p.swapping.Unlock()
	if failed == nil {
		return found
	}
	found.OK = false
	found.Message = fmt.Sprintf("%s. The policies could not be reloaded at %s, version %d goes on: %s",
		found.Message, failed.At.Format(time.RFC3339), p.versions.Current().Number, failed.Detail)
	return found
}
