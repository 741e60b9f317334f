package tally

// Shard is what is counted in a shard, under its mutex.
type Shard struct {
	Stats  Stats
	Shadow Shadow
	Ages   Ages
}
