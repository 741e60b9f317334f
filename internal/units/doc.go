// Package units is the grammar of durations in configuration, and of what has a unit at all: durations and bytes.
//
// A Duration is written with units, such as 300ms, 1h30m, 1.5h, 7d or 1w. Check walks what a configuration says beside the type that it
// is decoded into, and finds the numbers that have no unit: in a key of ours they are refused, but for 0 and keys whose name has the
// unit; in a key of the Collector, or of a component that we took over, they are nanoseconds or bytes, which is warned about. It also
// writes durations in our grammar as the type that takes them reads them, so that 7d can stand wherever a time.Duration is decoded.
package units
