// Package sim simulates a gateway's life, and its environment, from one seed, which alone determines every step.
//
// One goroutine takes every step: it sends requests, takes the turns of the sampler's decider, of its senders and of relief, flushes counts,
// evaluates objectives and delivers notifications, makes destinations answer, fail and hang, breaks the disk, sets the clock, and ends the
// process at any instant. The files are a Disk in memory: no file of the span log or of the counts is mapped, there is no TSDB, and no step
// takes real time, as the clock is that of a bubble of testing/synctest. Only the ledger is a real file, bbolt's.
//
// Its types are World (a gateway and what is known of it), Disk (the span log's files, and which of their bytes survive), place (counts),
// database (emitted metrics), backend (a destination), finding (stands for a reconstruction), receiver (of notifications), scenario (what a
// seed chooses once), trace, span and request. check is the oracle of the end: it checks all laws after the last step, and other checks
// run at each step. Package internal/due is the oracle of alerts: it computes from counts alone when they are due.
//
// While a shard is unlocked, as one of its files is read or created, steps are taken, too, so that concurrent copies are covered.
//
// # How a process ends
//
//	end        what the next process finds
//	kill       the kernel's state: every completed store, and perhaps a part of the one in progress
//	power cut  flushed bytes, and of the others, sector by sector and name by name, a random part
//
// The instants are each operation on a file, each event of a journal (before, within, behind), each record of a count and of a snapshot,
// each call of a destination, the database or a receiver and its answer, and each request and its answer.
package sim
