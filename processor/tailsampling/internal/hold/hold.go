// Package hold bounds how long a shard is held at a time for work that nobody waits for: making room, and deciding what is due. Requests
// that come meanwhile wait for that long at most, and then for one item.
//
// Its type is Hold, which is for one goroutine.
package hold

import (
	"time"

	"github.com/slowburn/slowburn/internal/clock"
)

// What a hold has at most. The bytes are those of spans that leave: pages that are unmapped or marked, and files that are deleted, go by
// them.
const (
	Items = 256
	Bytes = 1 << 20
	Time  = 2 * time.Millisecond
)

// Every is after how many items the clock is read.
const Every = 8

// Hold is a shard that is held. The zero Hold has items and bytes, and no clock.
type Hold struct {
	now   func() clock.Monotonic
	until clock.Monotonic
	items int
	bytes int64
}

// Begin returns a hold that begins now, by a clock; without one its time is not bounded.
func Begin(now func() clock.Monotonic) Hold {
	h := Hold{now: now}
	if now != nil {
		h.until = now().Add(Time)
	}
	return h
}

// Done takes note of an item that took so many bytes, and reports whether the hold is to end.
func (h *Hold) Done(bytes int64) bool {
	h.items++
	h.bytes += bytes
	return h.items >= Items || h.bytes >= Bytes || h.now != nil && h.items%Every == 0 && h.now() >= h.until
}
