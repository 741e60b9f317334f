package protobuf_test

import (
	"bytes"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/slowburn/slowburn/internal/wire/protobuf"
)

func TestVarint(t *testing.T) {
	for _, v := range []uint64{0, 1, 127, 128, 300, 1 << 14, math.MaxUint32, 1 << 63, math.MaxUint64} {
		b := protowire.AppendVarint([]byte("xy"), v)
		got, end := protobuf.Varint(b, 2)
		require.Equal(t, v, got)
		require.Equal(t, len(b), end)
		for cut := 2; cut < len(b); cut++ {
			_, end := protobuf.Varint(b[:cut], 2)
			require.Equal(t, "ends in the middle of a field", protobuf.Reason(end))
		}
	}
	_, end := protobuf.Varint(bytes.Repeat([]byte{0xff}, 11), 0)
	require.Equal(t, "varint longer than 10 bytes", protobuf.Reason(end))
}

// An unknown field is skipped, or refused with the reason.
func TestSkip(t *testing.T) {
	for _, test := range []struct {
		name   string
		typ    protobuf.Type
		b      []byte
		end    int
		reason string
	}{
		{"varint", protobuf.TypeVarint, []byte{0x80, 1, 9}, 2, ""},
		{"fixed64", protobuf.TypeFixed64, make([]byte, 9), 8, ""},
		{"fixed32", protobuf.TypeFixed32, make([]byte, 5), 4, ""},
		{"bytes", protobuf.TypeLen, []byte{2, 7, 7, 9}, 3, ""},
		{"group", protobuf.TypeStartGroup, []byte{0x0c, 9}, 1, ""},
		{"group at the end", protobuf.TypeStartGroup, []byte{0x0b}, 0, "ends in the middle of a field"},
		{"end of a group", protobuf.TypeEndGroup, []byte{9}, 0, "end of a group that has not begun"},
		{"fixed64, cut", protobuf.TypeFixed64, make([]byte, 7), 0, "ends in the middle of a field"},
		{"bytes, cut", protobuf.TypeLen, []byte{2, 7}, 0, "length reaches beyond the enclosing message"},
		{"field 0", protobuf.TypeStartGroup, []byte{3, 9}, 0, "field number is not positive"},
		{"type 7", 7, []byte{9}, 0, "wire type does not exist"},
	} {
		t.Run(test.name, func(t *testing.T) {
			end := protobuf.Skip(test.b, 0, test.typ)
			if test.reason != "" {
				require.Negative(t, end)
				require.Equal(t, test.reason, protobuf.Reason(end))
				return
			}
			require.Equal(t, test.end, end)
		})
	}
	require.Equal(t, "code 5", protobuf.Reason(5))
}

// Appended fields equal protowire's, and are as long as LenSize says.
func TestAppend(t *testing.T) {
	for _, n := range []int{0, 1, 127, 128, 1 << 14, 1 << 21} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			content := bytes.Repeat([]byte("x"), n)
			want := protowire.AppendBytes(protowire.AppendTag(nil, 5, protowire.BytesType), content)
			const tag = 5<<3 | byte(protobuf.TypeLen)
			require.Equal(t, want, protobuf.AppendLen(nil, tag, content))
			require.Equal(t, want, protobuf.AppendText(nil, tag, string(content)))
			require.Equal(t, want, append(protobuf.AppendHead(nil, tag, n), content...))
			require.Equal(t, len(want), protobuf.LenSize(n))
		})
	}
	for _, num := range []int32{1, 15, 16, 1000, 1<<29 - 1} {
		require.Equal(t, protowire.AppendTag(nil, protowire.Number(num), protowire.BytesType), protobuf.AppendTag(nil, num))
	}
}
