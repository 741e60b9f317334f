// Package gate limits the costly requests that run at once, and the memory that they share.
//
// A Gate has Slots, which it may share with others, a queue and bytes. A Turn belongs to one request: Enter waits for a slot in the queue,
// Reserve for bytes, Computed returns the slot while the answer is still being sent, and Leave returns the rest. The request that has
// waited longest is next; it waits as long as its context and the gate's patience allow. Then, or when the queue is full, the error is a
// *Busy with a retry delay. What Serve runs has lower priority than the process's other threads, if the system supports that: it has a
// thread of its own, and while it takes long a processor of Go's scheduler of its own (spares, whose mutex is held while their number
// changes). All methods are safe for concurrent use, except that those of one Turn are called one after another.
package gate
