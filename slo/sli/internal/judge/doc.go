// Package judge evaluates the conditions of objectives (package match) on one span after the other.
//
// Its types are Rules (compiled conditions, and lists of them, each of them once however many objectives have it) and Judge (the span
// that is judged, with what is known of it already).
//
// Rules:
//   - A condition, a list, and an attribute's key are looked up at most once per span, and those of a resource once per run of spans
//     that share it. The attributes that hold a status code or a type of error are found in one walk, which only a condition that
//     needs them begins.
//   - The outcome of a regular expression is remembered by the hash of its text, in a cache of a fixed size per condition.
//   - Judging allocates nothing, but for a value that is no text, number or boolean.
//   - Rules are read-only once the first Judge exists. A Judge belongs to one goroutine at a time.
package judge
