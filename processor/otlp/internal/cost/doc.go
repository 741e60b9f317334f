// Package cost bounds the memory that an OTLP request takes once pdata has decoded it, before it is decoded. Protobuf and
// JSON return that bound in bytes for a body. They allocate nothing for it and do not check whether the body is valid.
//
// A data point of two bytes becomes a structure of a hundred, so a bound by size alone would refuse everything or nothing:
// each element of the body is charged the memory of its pdata structure (see messages.go). A test compares the charges with
// pdata's allocations.
package cost
