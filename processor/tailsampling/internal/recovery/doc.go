// Package recovery reads the span log back at the start, and restores the shards.
//
// A span is skipped if its part of the trace was dropped or has been delivered to all destinations. A span of a kept part waits for the
// destinations that have not received it, in the order of the decisions. A span that came after its trace was sampled is a late span. All
// others wait for a decision again; the time that they had waited counts, the time in which nothing ran does not.
//
// A kept part is meant for the destinations that existed when it was decided. If today's are others, the journals are written anew, without
// those that are gone.
//
// Its types are Store (the directory and its contents), fates (what the journals say about a shard's traces), destinations (all that the
// journals name) and reader (which restores one shard; where several run in parallel it holds the shard's mutex).
package recovery
