// Package intake bounds the memory of requests on their way in.
//
// Its types are Budget (the bytes that all requests of the process may hold at a time), Request (one request's part, with its
// body), Listener (counts and limits connections) and Arrival (the time limit for a request to arrive).
//
// # Rules
//
//   - All memory is reserved before it is allocated. A Request reserves in steps, as bytes come: a header that announces 20 MiB
//     reserves nothing, the first bytes reserve 16 KiB, and each step is four times the last.
//   - No request waits for memory, so that requests cannot wait for one another: one that does not fit is refused with ErrSpent,
//     which the sender may retry. A request that would not fit into an empty budget is refused for good.
//   - End returns all that a Request holds, whatever happened in between.
//
// # Locks
//
// A Budget is one atomic number; a reservation is one compare-and-swap, and no request has more than a few of them. A Request
// belongs to one goroutine. A Listener has a counter. There are no mutexes here.
package intake
