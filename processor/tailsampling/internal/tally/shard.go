package tally

import "github.com/slowburn/slowburn/processor/tailsampling/internal/randomness"

// Shard holds the counters of a shard, under its mutex.
type Shard struct {
	Stats  Stats
	Shadow Shadow
	Ages   Ages
	IDs    randomness.Counts // of traces without W3C's random flag, rv or th
}
