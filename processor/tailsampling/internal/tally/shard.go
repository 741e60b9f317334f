package tally

import "github.com/slowburn/slowburn/processor/tailsampling/internal/randomness"

// Shard is what is counted in a shard, under its mutex.
type Shard struct {
	Stats  Stats
	Shadow Shadow
	Ages   Ages
	IDs    randomness.Counts // of traces that do not say how random their IDs are
}
