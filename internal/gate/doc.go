// Package gate lets a bounded number of costly requests run at once, within a budget of memory that they share.
//
// A Gate has Slots, which it may share with others, a queue and bytes. A Turn is one request's: Enter waits for a slot in the queue, Reserve for bytes, Computed
// gives the slot back while the answer is still sent, and Leave gives back what is left. Who waits longest is next, and waits as
// long as its context and the gate's patience allow; then, or where the queue is full, the error is a *Busy, which says when to
// come again. What Serve runs stands back behind other threads of the process, where the system can do that: on a thread of its own,
// with a processor of Go's scheduler of its own where it takes long (spares, whose mutex is held while their number changes). All methods are safe for concurrent use, but those of one Turn are called one after another.
package gate
