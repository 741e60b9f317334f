package export

import (
	"sync"
	"time"

	"github.com/slowburn/slowburn/internal/clock"
)

// growAfter is how long a limit stands before a larger one is tried: the destination may have been configured anew.
const growAfter = time.Hour

// sizeLimit is how large a request may be, in bytes.
type sizeLimit struct {
	most int

	mu      sync.Mutex
	size    int
	changed time.Time
	report  func(size int)
}

func newSizeLimit(most int, report func(size int)) *sizeLimit {
	report(most)
	return &sizeLimit{most: most, size: most, report: report}
}

// get returns the limit. Where it is lower than it could be, it doubles from time to time.
func (l *sizeLimit) get() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.size < l.most && clock.Since(l.changed) >= growAfter {
		l.set(min(2*l.size, l.most))
	}
	return l.size
}

// halve makes the limit half of a request that was too large, and returns it; false if it is as low as it can be.
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

// restore makes the limit again what it was before it was halved in vain.
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
