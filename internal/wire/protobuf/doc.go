// Package protobuf reads and writes protobuf's encoding, and knows no schema.
//
// It reads where a position in the bytes says, and returns the position behind it: or, in place of that, a negative error code,
// which Reason puts in words. What it accepts is what pdata accepts.
package protobuf
