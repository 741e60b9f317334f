// Package cost bounds the memory that an OTLP request takes once pdata has decoded it, before it is decoded. Protobuf and
// JSON return that bound in bytes for a body; neither allocates for it, nor says whether the body is valid.
//
// A data point of two bytes becomes a structure of a hundred, so a bound by the bytes alone would refuse everything or
// nothing: the body is walked, and each element is charged what pdata makes of it (see messages.go). A test holds the charges
// to what pdata allocates.
package cost
