// Package units is the grammar of durations and bytes in configuration, and finds values without a unit.
//
// A Duration is written with units, such as 300ms, 1h30m, 1.5h, 7d or 1w, and so is a Size, such as 512MiB or 20GB. About writes a
// number of bytes for people to read. Check walks a section beside the type that it is decoded into, and finds numbers without a unit.
// In a key of ours they are refused, except 0 and keys whose name has the unit; in a key of the Collector, or of a component that we
// took over, they are nanoseconds or bytes, which it warns about. It also rewrites durations in our grammar in that of their type, so
// that 7d works wherever a time.Duration is decoded.
package units
