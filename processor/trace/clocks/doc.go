// Package clocks estimates the offsets between the clocks of a trace's processes, and corrects the times of the spans.
//
// Correct takes a Forest and goes through these steps: each span gets its clock (assign.go); parents, children and links
// bound the differences of pairs of clocks (bounds.go, waits.go); clocks that bounds connect are a group (groups.go); per
// group, the closure of the bounds is computed (order.go, closure.go), a reference is chosen (solve.go) and every other
// clock gets an offset (choose.go); the spans get their times (place.go).
//
// The theory: θ(a) − θ(b) ≤ w, for the corrections θ of two clocks, is a bound. A child starts no earlier than its parent,
// so a request bounds one direction; a server ends no later than the client that waits for it, so a response bounds the
// other. The bounds of one group are a system of difference constraints, whose closure holds the tightest bound of every
// pair. An offset that may be 0 stays 0. The rules of package trace hold; there are no locks.
package clocks
