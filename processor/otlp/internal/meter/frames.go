package meter

import "encoding/binary"

// Types and flags of frames, from RFC 9113.
const (
	frameData      = 0x0
	frameHeaders   = 0x1
	frameRSTStream = 0x3
	flagEndStream  = 0x1

	headLength = 9
	preface    = 24 // bytes that a client sends before its first frame
)

// frame is the header of a frame.
type frame struct {
	kind, flags byte
	stream      uint32
	length      int
}

// frames splits one direction of a connection into frames, skipping their content.
type frames struct {
	head [headLength]byte
	have int // bytes of the header so far
	skip int // bytes of content, or of the preface, still to come
}

// next returns the next frame whose header ends in b, and the bytes after that header. ok is false if b ends
// first.
func (f *frames) next(b []byte) (found frame, rest []byte, ok bool) {
	n := min(f.skip, len(b))
	f.skip -= n
	b = b[n:]
	n = copy(f.head[f.have:], b)
	f.have += n
	if b = b[n:]; f.have < headLength {
		return frame{}, nil, false
	}
	f.have = 0
	length := int(f.head[0])<<16 | int(f.head[1])<<8 | int(f.head[2])
	f.skip = length
	return frame{
		kind: f.head[3], flags: f.head[4], length: length,
		stream: binary.BigEndian.Uint32(f.head[5:]) &^ (1 << 31),
	}, b, true
}
