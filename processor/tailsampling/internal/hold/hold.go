// Package hold bounds how long a shard is locked at a time for work that no request waits for: making room, and deciding what is due. A
// request waits for one hold at most, and then for one item.
//
// Its type is Hold, which is for one goroutine.
package hold

import (
	"time"

	"github.com/slowburn/slowburn/internal/clock"
)

// Limits of a hold. Bytes are those of spans that leave: unmapping pages and deleting files takes time in proportion to them.
const (
	Items = 256
	Bytes = 1 << 20
	Time  = 2 * time.Millisecond
)

// Every is the number of items between two looks at the clock.
const Every = 8

// Hold limits one period of holding a shard. The zero Hold limits items and bytes, but not time.
type Hold struct {
	now   func() clock.Monotonic
	until clock.Monotonic
	items int
	bytes int64
}

// Begin returns a hold that begins now. Without a clock its time is not limited.
func Begin(now func() clock.Monotonic) Hold {
	h := Hold{now: now}
	if now != nil {
		h.until = now().Add(Time)
	}
	return h
}

// Done counts an item of so many bytes, and reports whether the hold must end.
func (h *Hold) Done(bytes int64) bool {
	h.items++
	h.bytes += bytes
	return h.items >= Items || h.bytes >= Bytes || h.now != nil && h.items%Every == 0 && h.now() >= h.until
}
