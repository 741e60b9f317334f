// Package delivery takes kept traces out of the buffer and passes them to the next component.
//
// Its types are Emitter (a goroutine that delivers the traces of its shards, in the order in which they were decided in
// each), Output (what the emitters of a processor share: the next component, and the counts of what became of spans) and
// batch (kept traces on their way out, copied from the log so that no lock is held while they are decoded and delivered).
//
// A trace leaves the log when the next component accepted it. After a retryable error it goes back to the head of its
// shard's list and the emitter backs off: the log is the retry queue. What is refused for good is given up and counted.
package delivery
