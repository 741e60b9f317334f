package wire_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/internal/wire/protobuf"
)

// Requests that differ from the seeds in one byte, or end early, are read as pdata reads them: lengths, tags and numbers
// that just do not fit are among them.
func TestNeighboursOfSeeds(t *testing.T) {
	const longest = 80 // of the seeds: the others repeat what the short ones have
	for _, seed := range seeds() {
		if len(seed) > longest {
			continue
		}
		for i := range seed {
			sameAsPdata(t, seed[:i])
			for _, b := range []byte{seed[i] - 1, seed[i] + 1, seed[i] ^ 0x80} {
				changed := bytes.Clone(seed)
				changed[i] = b
				sameAsPdata(t, changed)
			}
		}
	}
}

// Attributes with keys and values about as long as the short way of reading them takes, in both layouts, between others.
func TestAttributeLengths(t *testing.T) {
	lengths := []int{0, 1, 2, 3, 57, 58, 59, 60, 61, 62, 63, 119, 120, 121, 122, 123, 124, 125, 126, 127, 128, 129, 130}
	for _, key := range lengths {
		span := aSpan().len(9, kv("first", msg{}.varint(2, 1))...)
		for _, value := range lengths {
			v := msg{}.str(1, strings.Repeat("v", value))
			name := strings.Repeat("k", key)
			span = span.len(9, kv(name, v)...).len(9, msg{}.len(2, v...).str(1, name)...)
			sameAsPdata(t, inRequest(aSpan().len(9, kv(name, v)...)))
			sameAsPdata(t, inRequest(aSpan().len(9, msg{}.len(2, v...).str(1, name)...)))
			sameAsPdata(t, inRequest(aSpan().len(9, kv(name, msg{}.len(7, v...))...)))
		}
		sameAsPdata(t, inRequest(span.len(9, kv("last", msg{}.varint(3, 300))...)))
	}
}

// Integers of every size, where the short way takes those of one or two bytes.
func TestIntegerSizes(t *testing.T) {
	for shift := range 64 {
		for _, n := range []uint64{1<<shift - 1, 1 << shift, 1<<shift + 1} {
			sameAsPdata(t, inRequest(aSpan().len(9, kv("n", msg{}.varint(3, n))...).varint(6, n).fixed64(7, n).fixed64(8, n+1)))
		}
	}
}

// Fields that nobody knows are passed over between those that are looked for, whatever their type.
func TestUnknownFieldsBetween(t *testing.T) {
	for name, field := range map[string]func(msg, protowire.Number) msg{
		"varint":      func(m msg, n protowire.Number) msg { return m.varint(n, 5) },
		"long varint": func(m msg, n protowire.Number) msg { return m.varint(n, 1<<40) },
		"fixed64":     func(m msg, n protowire.Number) msg { return m.fixed64(n, 1<<60|9<<3|2) },
		"fixed32":     func(m msg, n protowire.Number) msg { return m.fixed32(n, 1<<30|9<<3|2) },
		"bytes":       func(m msg, n protowire.Number) msg { return m.str(n, "some") },
		"long bytes":  func(m msg, n protowire.Number) msg { return m.str(n, strings.Repeat("x", 130)) },
		"empty":       func(m msg, n protowire.Number) msg { return m.len(n) },
	} {
		for _, number := range []protowire.Number{14, 15, 16, 100} { // tags of one byte and of two
			t.Run(fmt.Sprint(name, number), func(t *testing.T) {
				unknown := func(m msg) msg { return field(m, number) }
				inSpan := func(m msg) msg { return field(m, number+100) } // a Span knows all numbers up to 16
				event := unknown(msg{}.fixed64(1, 7)).str(2, "event")
				event = unknown(event).len(3, kv("in", msg{}.str(1, "event"))...)
				scope := unknown(msg{}).str(1, "lib")
				scope = unknown(scope).str(2, "v1")
				body := inSpan(aSpan())
				for range 2 {
					body = inSpan(body.len(9, kv("k", msg{}.str(1, "v"))...)).len(11, event...)
					body = inSpan(body).len(13, unknown(msg{}).len(1, bytes.Repeat([]byte{3}, 16)...).len(2, bytes.Repeat([]byte{4}, 8)...)...)
				}
				body = inSpan(body.len(15, unknown(msg{}).str(2, "message").varint(3, 2)...))
				scopes := unknown(unknown(msg{}).len(1, scope...).len(2, body...))
				resource := unknown(msg{}).len(1, unknown(msg{}).len(1, kv("service.name", msg{}.str(1, "s"))...)...)
				request := msg{}.len(1, unknown(resource).len(2, scopes...)...)
				var r wire.Request
				require.NoError(t, r.Scan(request))
				sameAsPdata(t, request)
				for cut := range inSpan(msg{}) {
					sameAsPdata(t, inRequest(aSpan().raw(inSpan(msg{})[:cut]...)))
				}
			})
		}
	}
}

// What is nested as deep as allowed is taken, and one level more is not, in both checks.
func TestDepthLimit(t *testing.T) {
	depth := func(n int) []byte {
		var v msg
		for range n {
			v = msg{}.len(5, v...)
		}
		return v
	}
	require.False(t, protobuf.TooDeep(depth(9_999)), "the message itself is a level")
	require.True(t, protobuf.TooDeep(depth(10_000)))
	require.False(t, protobuf.TooDeep(nil))
}

func TestNames(t *testing.T) {
	for kind, want := range map[wire.ValueKind]string{
		wire.Empty: "Empty", wire.String: "String", wire.Bytes: "Bytes", wire.Bytes + 1: "ValueKind(8)", 200: "ValueKind(200)",
	} {
		assert.Equal(t, want, kind.String())
	}
	r := wire.Range{Off: 3, End: 5}
	assert.Equal(t, 2, r.Len())
	assert.Equal(t, []byte("de"), r.Of([]byte("abcdefg")))
	assert.Equal(t, 2, cap(r.Of([]byte("abcdefg"))))
}
