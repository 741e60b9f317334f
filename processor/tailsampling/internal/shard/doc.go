// Package shard is the state machine of the traces whose IDs hash to one shard: it buffers their spans, decides about
// them, and keeps them until they are delivered.
//
// Its types are Shard, Shared (what shards have in common), Log and Journal
// (where a shard's spans and decisions are; the span log is one place, a partition of a broker can be another), Outgoing (what
// one destination has not got), Kept (a part of that) and Restorer (which rebuilds a shard after a restart). A decision is a decision.Decided, which publish
// hands to the journal, the explanations, the counters and the links, in this order.
//
// # States
//
// An entry is a trace, or a late part of one: its late spans, which gather for a moment.
//
//	from       event                                       to         does
//	---------  ------------------------------------------  ---------  ------------------------------------------------
//	–          first span of a trace (admit)               pending    begins under the current version of the policies
//	–          span of a trace that was sampled (admit)    gathering
//	–          span of a trace that was not sampled or     –          counts a late span
//	           dropped, and gone (admit)
//	pending    root span (follow)                          rooted     waits for being quiet
//	rooted     span (follow)                               rooted     is quiet from now on
//	pending,   decided: sampled (decide, settle)           kept       is remembered; messages to linked traces
//	rooted     decided: not sampled, and there is room     revivable  keeps the policies' bits
//	           (makeRoomToRevive)
//	           decided: not sampled, or dropped            gone       is remembered
//	pending,   an objective marks it (Mark)                the same   is kept when it is decided, unless it is dropped
//	rooted
//	revivable  a late span makes a policy sample it        kept       as if decided (revive)
//	           a linked trace is kept (Receive)            kept       without a weight
//	           an objective marks it (Mark)                kept       without a weight
//	           twice the largest size (reconsider)         gone       is remembered (evict)
//	           revive_window is over, or room is needed    gone       is remembered (evict)
//	gathering  lateWait is over (enqueueLate)              kept
//	kept       a destination has it (Delivered), or does   kept       waits for the other destinations
//	           not get it (GiveUp, GiveUpOldest)           gone       no destination waits for it
//
// Kept entries are in one list in the order of their decisions. Package outbox has the state of their delivery to each destination.
//
// An entry that is gone is in no list, its spans are released, and its slot is reused (free).
//
// # Rules
//
// A shard's mutex guards everything in it; no two shards are ever locked at once. The effects of a visit outside of the shard
// are its FollowUp, which the caller follows up after unlocking the shard. The order of spans and their batching do not
// matter: the kept part of a trace is a function of the set of its spans.
package shard
