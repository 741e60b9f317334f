// Package intake bounds the memory of requests on their way in.
//
// Its types are Budget (the bytes that all requests of the process may hold at a time), Request (what one of them holds,
// its body included), Listener (connections that are counted and limited) and Arrival (the time within which a request has to
// be there).
//
// # Rules
//
//   - Nothing is allocated that is not reserved. A Request reserves in steps, as bytes come: a header that announces 20 MiB
//     reserves nothing, the first bytes reserve 16 KiB, and each step is four times the last.
//   - Nobody waits for memory: what does not fit is refused with ErrSpent, which the sender may retry, so that requests
//     cannot wait for one another. What would not fit an empty budget is refused for good.
//   - What a Request holds is given back by End, whatever happened in between.
//
// # Locks
//
// A Budget is one atomic number; a reservation is one compare-and-swap, and no request has more than a few of them. A Request
// belongs to one goroutine. A Listener has a counter. There are no mutexes here.
package intake
