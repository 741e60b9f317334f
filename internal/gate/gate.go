package gate

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/slowburn/slowburn/internal/units"
)

// Settings are the limits of a gate.
type Settings struct {
	Slots   *Slots        // limit the running requests; several gates may share them
	Waiting int           // largest number of requests that wait for a slot; more are refused
	Timeout time.Duration // longest wait for a slot, and for bytes
	Memory  int64         // bytes that all requests share
}

// Processors is the default number of costly requests that run at once: one less than processors, so that one is left for spans,
// but at least one.
func Processors() int { return max(1, spare.processors()-1) }

// Slots limit the requests that run at once.
type Slots struct {
	free  *semaphore.Weighted
	total int
}

// NewSlots returns slots for so many requests.
func NewSlots(total int) *Slots { return &Slots{semaphore.NewWeighted(int64(total)), total} }

// Gate limits costly requests.
type Gate struct {
	settings Settings
	memory   *semaphore.Weighted

	running, waiting, reserved, refused atomic.Int64
}

// New returns a gate.
func New(s Settings) *Gate {
	return &Gate{settings: s, memory: semaphore.NewWeighted(s.Memory)}
}

// State counts the requests of a gate, and its reserved bytes.
type State struct{ Running, Waiting, Reserved, Refused int64 }

// State returns the state of the gate.
func (g *Gate) State() State {
	return State{g.running.Load(), g.waiting.Load(), g.reserved.Load(), g.refused.Load()}
}

// Memory is the number of bytes that all requests share.
func (g *Gate) Memory() int64 { return g.settings.Memory }

// Busy refuses a request because of others.
type Busy struct {
	reason string
	// RetryAfter is the retry delay.
	RetryAfter time.Duration
}

// Error implements error.
func (b *Busy) Error() string {
	return fmt.Sprintf("%s: ask again in %s", b.reason, b.RetryAfter)
}

// Large refuses a request that takes more memory than all requests together may have, however many others
// there are.
type Large struct{ Bytes, Memory int64 }

// Error implements error.
func (l *Large) Error() string {
	return fmt.Sprintf("it takes %s of memory, and all requests together may take %s", units.Size(l.Bytes), units.Size(l.Memory))
}

// Header sets the retry delay in a header.
func (b *Busy) Header(h http.Header) {
	h.Set("Retry-After", strconv.Itoa(int(math.Ceil(b.RetryAfter.Seconds()))))
}

// retryAfter is the retry delay of refused requests.
const retryAfter = 2 * time.Second

func (g *Gate) busy(reason string, args ...any) error {
	g.refused.Add(1)
	return &Busy{fmt.Sprintf(reason, args...), retryAfter}
}

// Turn is a request in a gate.
type Turn struct {
	gate  *Gate
	slot  bool
	bytes int64

	answer int64 // the part of bytes that Serve's answer has taken
}

// Enter waits for a slot. The error is a *Busy, or the context's cause if that ended during the wait.
func (g *Gate) Enter(ctx context.Context) (*Turn, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	if !g.settings.Slots.free.TryAcquire(1) {
		if g.waiting.Add(1) > int64(g.settings.Waiting) {
			g.waiting.Add(-1)
			return nil, g.busy("%d requests run and %d wait", g.settings.Slots.total, g.settings.Waiting)
		}
		err := g.wait(ctx, g.settings.Slots.free, 1)
		g.waiting.Add(-1)
		if err != nil {
			g.settle()
			return nil, err
		}
	}
	g.running.Add(1)
	return &Turn{gate: g, slot: true}, nil
}

// settle takes away what processors there are to spare, unless the next request is about to need one.
func (g *Gate) settle() {
	if g.waiting.Load() == 0 {
		spare.settle()
	}
}

// wait acquires from one of the semaphores.
func (g *Gate) wait(ctx context.Context, from *semaphore.Weighted, n int64) error {
	within, cancel := context.WithTimeout(ctx, g.settings.Timeout)
	defer cancel()
	if err := from.Acquire(within, n); err == nil {
		return nil
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return g.busy("other requests took longer than %s", g.settings.Timeout)
}

// Reserve sets the number of bytes of the turn. If there are too few, it waits without any reservation, so that two requests
// that want more do not wait for each other. The errors are those of Enter; the caller must refuse more bytes than the gate
// has.
func (t *Turn) Reserve(ctx context.Context, bytes int64) error {
	t.reserve(0)
	if bytes = min(bytes, t.gate.settings.Memory); t.gate.memory.TryAcquire(bytes) {
		t.take(bytes)
		return nil
	}
	if err := t.gate.wait(ctx, t.gate.memory, bytes); err != nil {
		return err
	}
	t.take(bytes)
	return nil
}

func (t *Turn) take(bytes int64) {
	t.bytes += bytes
	t.gate.reserved.Add(bytes)
}

// Grow reserves more bytes besides those of the turn. It does not wait: two turns that wait while they hold bytes would wait for
// each other. The error is a *Busy, or a *Large if this turn alone would exceed the gate's memory.
func (t *Turn) Grow(bytes int64) error {
	if all := t.bytes + bytes; all > t.gate.settings.Memory {
		return &Large{all, t.gate.settings.Memory}
	}
	if !t.gate.memory.TryAcquire(bytes) {
		return t.gate.busy("other requests use the memory that this one needs")
	}
	t.take(bytes)
	return nil
}

// Keep returns all bytes except so many.
func (t *Turn) Keep(bytes int64) {
	if bytes < t.bytes {
		t.reserve(bytes)
	}
}

// reserve returns all bytes beyond so many.
func (t *Turn) reserve(bytes int64) {
	t.gate.memory.Release(t.bytes - bytes)
	t.gate.reserved.Add(bytes - t.bytes)
	t.bytes = bytes
}

// Computed returns the slot: only sending the answer is left.
func (t *Turn) Computed() {
	if t.slot {
		t.slot = false
		t.gate.running.Add(-1)
		t.gate.settings.Slots.free.Release(1)
	}
}

// Leave returns everything. It may be called more than once.
func (t *Turn) Leave() {
	t.Computed()
	t.reserve(0)
	t.gate.settle()
}

// Memory is the number of bytes that all requests share.
func (t *Turn) Memory() int64 { return t.gate.settings.Memory }
