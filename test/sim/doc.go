// Package sim lives through a gateway's life, and that of all around it, from one seed: what the seed does not say does not happen.
//
// One goroutine takes every step: it sends requests, takes the turns of the sampler's decider, of its senders and of who makes room, lets
// destinations answer, fail and hang, breaks the disk, sets the clock, and ends the process at any instant. The files are a Disk in
// memory: no file is mapped, and nothing waits, as time is that of a bubble of testing/synctest.
//
// Its types are World (a gateway and what is known of it), Disk (files, and what of them survives), backend (a destination), scenario
// (what a seed chooses once), trace, span and request. check is the oracle: it says what must hold when all is over, and the rest is
// looked at as it happens.
//
// # How a process ends
//
//	end        what the next process finds
//	kill       what the kernel has: every byte that was stored, but for a store that was under way, of which a part may be there
//	power cut  what was flushed, and of the rest, sector by sector and name by name, what chance leaves
//
// The instants are each operation on a file, each event of a journal (before, within, behind), each call of a destination and its
// answer, and each request and its answer.
package sim
