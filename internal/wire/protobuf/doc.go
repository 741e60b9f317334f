// Package protobuf reads and writes protobuf's encoding without a schema.
//
// Its functions read at a position in the bytes, and return the position after that, or a negative error code, which Reason
// translates. It accepts what pdata accepts.
package protobuf
