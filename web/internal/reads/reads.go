// Package reads bounds the load of reads through the dashboard's API: Limits runs a limited number of costly requests at once,
// within a budget of memory. Cheap requests have a lane of their own. Limits is safe for concurrent use.
package reads

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/klauspost/compress/gzhttp"

	"github.com/slowburn/slowburn/internal/gate"
	"github.com/slowburn/slowburn/internal/units"
	"github.com/slowburn/slowburn/web/internal/rest"
)

// Config is `web::reads`.
type Config struct {
	// Queue is how many wait for their turn before others are refused, and QueueTimeout how long each does.
	Queue        int           `mapstructure:"queue"`
	QueueTimeout time.Duration `mapstructure:"queue_timeout"`
	// Memory is shared by all of them. 0 is a sixteenth of GOMEMLIMIT, 16 to 128 MiB.
	Memory units.Size `mapstructure:"memory"`
	// Timeout is how long one may take.
	Timeout time.Duration `mapstructure:"timeout"`
}

// MemoryWithin is how many bytes reads may take together where the process has a limit.
func (c Config) MemoryWithin(limit int64) int64 {
	if c.Memory > 0 {
		return int64(c.Memory)
	}
	return min(max(limit/16, 16<<20), 128<<20)
}

// minMemory is what a usual trace takes.
const minMemory = 8 << 20

// Default is the configuration where there is none.
func Default() Config {
	return Config{Queue: 64, QueueTimeout: 10 * time.Second, Timeout: 30 * time.Second}
}

// Validate names every key that is wrong.
func (c *Config) Validate() error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if c.Queue < 0 {
		wrong("queue: %d is below zero: 0 refuses what cannot run at once", c.Queue)
	}
	if c.QueueTimeout <= 0 {
		wrong("queue_timeout: %s must be above zero, such as 10s", c.QueueTimeout)
	}
	if c.Memory != 0 && c.Memory < minMemory {
		wrong("memory: %s must be at least %s", c.Memory, units.Size(minMemory))
	}
	if c.Timeout <= 0 {
		wrong("timeout: %s must be above zero, such as 30s", c.Timeout)
	}
	return errors.Join(errs...)
}

// Limits admits requests.
type Limits struct {
	gate     *gate.Gate
	light    *gate.Gate
	timeout  time.Duration
	compress func(http.Handler) http.HandlerFunc
}

// New returns the limits of a configuration. Requests take slots, which they may share with other components.
func New(c Config, slots *gate.Slots) (*Limits, error) {
	compress, err := gzhttp.NewWrapper(gzhttp.EnableZstd(false)) // as for all that is served, but in the request's turn
	return &Limits{
		light:   gate.New(gate.Settings{Slots: gate.NewSlots(gate.Processors()), Waiting: c.Queue, Timeout: c.QueueTimeout, Memory: 1}),
		gate:    gate.New(gate.Settings{Slots: slots, Waiting: c.Queue, Timeout: c.QueueTimeout, Memory: c.MemoryWithin(debug.SetMemoryLimit(-1))}),
		timeout: c.Timeout, compress: compress,
	}, err
}

// State returns the state of the lane of costly requests.
func (l *Limits) State() gate.State { return l.gate.State() }

// Costly queues requests until there is a slot. When the queue is full it refuses them by fail, with 503 and the time to retry.
// A client that disconnects ends its request, also in the queue.
func (l *Limits) Costly(fail rest.Failure) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler { return l.through(l.gate, true, fail, l.compress(next)) }
}

// Light is Costly for cheap requests, in a lane of their own: they wait for no costly request, and a flood of them does not take
// all processors. It does not limit actions, which come from people.
func (l *Limits) Light(fail rest.Failure) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		lane := l.through(l.light, false, fail, l.compress(next))
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet && r.Method != http.MethodHead {
				next.ServeHTTP(w, r)
				return
			}
			lane.ServeHTTP(w, r)
		})
	}
}

// through serves requests through a gate. If charged is set, the memory of answers counts against the gate's budget.
func (l *Limits) through(lane *gate.Gate, charged bool, fail rest.Failure, next http.Handler) http.Handler {
	var spent func(http.ResponseWriter, error)
	if charged {
		spent = func(w http.ResponseWriter, err error) { Refuse(w, fail, err) }
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		turn, err := lane.Enter(r.Context())
		if err != nil {
			if !Refuse(w, fail, err) {
				fail(w, http.StatusServiceUnavailable, "%v.", err)
			}
			return
		}
		defer turn.Leave()
		ctx, cancel := context.WithTimeout(r.Context(), l.timeout)
		defer cancel()
		turn.Serve(w, r.WithContext(ctx), next, spent)
	})
}

// Refuse reports whether err means that a request got no slot or no memory, and answers the request then.
func Refuse(w http.ResponseWriter, fail rest.Failure, err error) bool {
	var busy *gate.Busy
	var large *gate.Large
	switch {
	case errors.As(err, &large):
		fail(w, http.StatusUnprocessableEntity,
			"The answer is too large to be shown: %v. Raise web::reads::memory, or read the trace with slowburn sample.", err)
	case errors.As(err, &busy):
		busy.Header(w.Header())
		fail(w, http.StatusServiceUnavailable, "The dashboard is busy: %v.", err)
	case errors.Is(err, context.DeadlineExceeded):
		fail(w, http.StatusServiceUnavailable, "The request took too long (web::reads::timeout): ask for less.")
	case errors.Is(err, context.Canceled):
		fail(w, http.StatusServiceUnavailable, "The request was canceled.") // the client is likely gone
	default:
		return false
	}
	return true
}
