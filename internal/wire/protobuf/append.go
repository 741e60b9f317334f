package protobuf

import (
	"encoding/binary"
	"math/bits"
)

// AppendLen appends a field of bytes: the tag, which has one byte, the length and the content.
func AppendLen(dst []byte, tag byte, content []byte) []byte {
	dst = append(dst, tag)
	dst = binary.AppendUvarint(dst, uint64(len(content)))
	return append(dst, content...)
}

// AppendText appends a field of text: the tag, which has one byte, the length and the text.
func AppendText(dst []byte, tag byte, text string) []byte {
	return append(AppendHead(dst, tag, len(text)), text...)
}

// AppendHead appends the head of a field of bytes: the tag, which has one byte, and the length.
func AppendHead(dst []byte, tag byte, size int) []byte {
	return binary.AppendUvarint(append(dst, tag), uint64(size))
}

// AppendTag appends the tag of a field of bytes, of any number.
func AppendTag(dst []byte, num int32) []byte {
	return binary.AppendUvarint(dst, uint64(num)<<3|uint64(TypeLen))
}

// LenSize returns the size of a field with so many bytes of content and a tag of one byte.
func LenSize(content int) int { return 1 + (bits.Len64(uint64(content)|1)+6)/7 + content }
