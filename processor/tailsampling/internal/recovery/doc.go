// Package recovery reads back what is on disk at the start, so that the shards are what they were.
//
// A span whose part of the trace was dropped, or which all destinations have, is passed over. One of a kept part waits for those
// that have not got it, in the order of the decisions; one that came after its trace was sampled is a late span; all others wait
// for a decision again, with the time that they have waited already: the clock stood still while nothing ran.
//
// A kept part is for the destinations that there were when it was decided. Where those of today are others, the journals are
// written anew, so that one that is gone is forgotten.
//
// Its types are Store (the directory and its contents), fates (what the journals have about a shard's traces), destinations
// (who they are, over the journals) and reader (which rebuilds one shard; what it does in parallel with others it does with the shard's mutex).
package recovery
