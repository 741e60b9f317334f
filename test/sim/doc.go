// Package sim lives through a gateway's life, and that of all around it, from one seed: what the seed does not say does not happen.
//
// One goroutine takes every step: it sends requests, takes the turns of the sampler's decider, of its senders and of who makes room, hands
// counts over, evaluates objectives and tells receivers, lets destinations answer, fail and hang, breaks the disk, sets the clock, and ends
// the process at any instant. The files are a Disk in memory: no file of the span log or of the counts is mapped, there is no TSDB, and
// nothing waits, as time is that of a bubble of testing/synctest. The ledger alone is a real file, bbolt's.
//
// Its types are World (a gateway and what is known of it), Disk (the span log's files, and what of them survives), place (counts),
// database (what was emitted), backend (a destination), finding (what stands for a reconstruction), receiver (who is told of alerts),
// scenario (what a seed chooses once), trace, span and request. check is the oracle: it says what must hold when all is over, and the rest
// is looked at as it happens. Package internal/due is its part about alerts: from counts alone it says when which are due.
//
// While a shard is given up, as a file of it is read or made, steps are taken, too: what is copied meanwhile must bear it.
//
// # How a process ends
//
//	end        what the next process finds
//	kill       what the kernel has: every byte that was stored, but for a store that was under way, of which a part may be there
//	power cut  what was flushed, and of the rest, sector by sector and name by name, what chance leaves
//
// The instants are each operation on a file, each event of a journal (before, within, behind), each record of a count and of a snapshot,
// each call of a destination, the database or a receiver and its answer, and each request and its answer.
package sim
