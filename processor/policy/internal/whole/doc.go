// Package whole has the policies that look at a trace as a whole: at its duration, its size, its randomness, or its tree of
// spans. They know nothing of other traces.
//
// A type is a file: a Config, which is the section of that name, and its Compile. Durations are in nanoseconds.
package whole
