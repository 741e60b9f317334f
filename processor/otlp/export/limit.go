package export

import (
	"sync"
	"time"

	"github.com/slowburn/slowburn/internal/clock"
)

// growAfter is how long a limit stands before a larger one is tried, as the destination's configuration may have
// changed.
const growAfter = time.Hour

// sizeLimit is the largest size of a request in bytes.
type sizeLimit struct {
	most int

	mu      sync.Mutex
	size    int
	changed time.Time
	report  func(size int)
}

func newSizeLimit(highest int, report func(size int)) *sizeLimit {
	report(highest)
	return &sizeLimit{most: highest, size: highest, report: report}
}

// get returns the limit. A lowered limit doubles from time to time.
func (l *sizeLimit) get() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.size < l.most && clock.Since(l.changed) >= growAfter {
		l.set(min(2*l.size, l.most))
	}
	return l.size
}

// halve sets the limit to half the size of a request that was too large, and returns it. It returns false if the
// limit is at its least.
func (l *sizeLimit) halve(request int) (size int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if request <= int(minRequest) {
		return l.size, false
	}
	if half := max(request/2, int(minRequest)); half < l.size {
		l.set(half)
	}
	return l.size, true
}

// restore undoes halvings that did not help.
func (l *sizeLimit) restore(size int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if size > l.size {
		l.set(size)
	}
}

func (l *sizeLimit) set(size int) {
	l.size, l.changed = size, clock.Now()
	l.report(size)
}
