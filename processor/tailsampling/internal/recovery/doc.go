// Package recovery reads back what is on disk at the start, so that the shards are what they were.
//
// A span whose part of the trace was dropped or delivered is passed over. One of a kept part that was not delivered goes to
// the emitter, in the order of the decisions; one that came after its trace was sampled is a late span; all others wait
// for a decision again, with the time that they have waited already: the clock stood still while nothing ran.
//
// Its types are Store (the directory and its contents), fates (what the journals have about a shard's traces) and reader
// (which rebuilds one shard; what it does in parallel with others it does with the shard's mutex).
package recovery
