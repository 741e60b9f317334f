// Package meter reserves the memory of calls of gRPC while they arrive.
//
// gRPC buffers a message before it calls a handler, up to the length that the message announces, for any number of calls. Its
// server cannot ask for memory first, but all that it buffers comes through a connection: a Conn watches it. A Conn knows
// HTTP/2's frames, not their contents.
//
// # A call
//
//	what is seen                              what is done
//	HEADERS of a new stream, from the client  reserve callMemory
//	DATA of an open stream, from the client   reserve its length, and frameMemory
//	RST_STREAM, from either side              give all of it back
//	HEADERS that end the stream, to the client  give all of it back
//	the end of the connection                 give back that of all its streams
//
// gRPC discards DATA of a stream that is not open. If the budget has no room, the connection ends: its sender sees that the
// gateway is unavailable, and may retry. That is the last resort, as the receiver admits no calls when the budget is nearly
// used up.
//
// # System calls
//
// A connection of TCP is read and written by package direct: what a request costs is a tenth less.
//
// # Locks
//
// A Conn has one mutex, held while the frames of a read or of a write are looked at.
package meter
