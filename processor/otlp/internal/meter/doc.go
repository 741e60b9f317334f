// Package meter reserves the memory of calls of gRPC while they arrive.
//
// gRPC buffers what comes of a message before it calls anybody, as much as the message says it is long, of as many calls as
// there are. Its server cannot be told to ask first, but everything that it buffers comes by a connection: a Conn reads along.
// It knows HTTP/2's frames, not what is in them.
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
// DATA of a stream that is not open is what gRPC throws away. Where the budget has no room, the connection ends: its sender
// is told that the gateway is unavailable, and may try again. That is the last resort, for the receiver admits no calls when
// the budget is nearly spent.
//
// # Locks
//
// A Conn has one mutex, held while the frames of a read or of a write are looked at.
package meter
