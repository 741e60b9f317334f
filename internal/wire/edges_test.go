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
	"github.com/slowburn/slowburn/internal/wire/internal/wiretest"
)

// Requests that differ from the seeds in one byte, or end early, are read as pdata reads them: lengths, tags and numbers that
// just do not fit are among them.
func TestNeighboursOfSeeds(t *testing.T) {
	const longest = 80 // of the seeds: longer ones repeat the same fields
	for _, seed := range wiretest.Seeds() {
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

// Attributes with keys and values around the length limit of the fast path, in both layouts, between others.
func TestAttributeLengths(t *testing.T) {
	lengths := []int{0, 1, 2, 3, 57, 58, 59, 60, 61, 62, 63, 119, 120, 121, 122, 123, 124, 125, 126, 127, 128, 129, 130}
	for _, key := range lengths {
		span := wiretest.ASpan().Len(9, wiretest.KV("first", wiretest.Msg{}.Varint(2, 1))...)
		for _, value := range lengths {
			v := wiretest.Msg{}.Str(1, strings.Repeat("v", value))
			name := strings.Repeat("k", key)
			span = span.Len(9, wiretest.KV(name, v)...).Len(9, wiretest.Msg{}.Len(2, v...).Str(1, name)...)
			sameAsPdata(t, wiretest.InRequest(wiretest.ASpan().Len(9, wiretest.KV(name, v)...)))
			sameAsPdata(t, wiretest.InRequest(wiretest.ASpan().Len(9, wiretest.Msg{}.Len(2, v...).Str(1, name)...)))
			sameAsPdata(t, wiretest.InRequest(wiretest.ASpan().Len(9, wiretest.KV(name, wiretest.Msg{}.Len(7, v...))...)))
		}
		sameAsPdata(t, wiretest.InRequest(span.Len(9, wiretest.KV("last", wiretest.Msg{}.Varint(3, 300))...)))
	}
}

// Integers of every size: the fast path reads those of one or two bytes.
func TestIntegerSizes(t *testing.T) {
	for shift := range 64 {
		for _, n := range []uint64{1<<shift - 1, 1 << shift, 1<<shift + 1} {
			sameAsPdata(t, wiretest.InRequest(wiretest.ASpan().Len(9, wiretest.KV("n", wiretest.Msg{}.Varint(3, n))...).Varint(6, n).Fixed64(7, n).Fixed64(8, n+1)))
		}
	}
}

// Unknown fields between the known ones are skipped, whatever their type.
func TestUnknownFieldsBetween(t *testing.T) {
	for name, field := range map[string]func(wiretest.Msg, protowire.Number) wiretest.Msg{
		"varint":      func(m wiretest.Msg, n protowire.Number) wiretest.Msg { return m.Varint(n, 5) },
		"long varint": func(m wiretest.Msg, n protowire.Number) wiretest.Msg { return m.Varint(n, 1<<40) },
		"fixed64":     func(m wiretest.Msg, n protowire.Number) wiretest.Msg { return m.Fixed64(n, 1<<60|9<<3|2) },
		"fixed32":     func(m wiretest.Msg, n protowire.Number) wiretest.Msg { return m.Fixed32(n, 1<<30|9<<3|2) },
		"bytes":       func(m wiretest.Msg, n protowire.Number) wiretest.Msg { return m.Str(n, "some") },
		"long bytes":  func(m wiretest.Msg, n protowire.Number) wiretest.Msg { return m.Str(n, strings.Repeat("x", 130)) },
		"empty":       func(m wiretest.Msg, n protowire.Number) wiretest.Msg { return m.Len(n) },
	} {
		for _, number := range []protowire.Number{14, 15, 16, 100} { // tags of one byte and of two
			t.Run(fmt.Sprint(name, number), func(t *testing.T) {
				unknown := func(m wiretest.Msg) wiretest.Msg { return field(m, number) }
				inSpan := func(m wiretest.Msg) wiretest.Msg { return field(m, number+100) } // all numbers up to 16 are fields of Span
				event := unknown(wiretest.Msg{}.Fixed64(1, 7)).Str(2, "event")
				event = unknown(event).Len(3, wiretest.KV("in", wiretest.Msg{}.Str(1, "event"))...)
				scope := unknown(wiretest.Msg{}).Str(1, "lib")
				scope = unknown(scope).Str(2, "v1")
				body := inSpan(wiretest.ASpan())
				for range 2 {
					body = inSpan(body.Len(9, wiretest.KV("k", wiretest.Msg{}.Str(1, "v"))...)).Len(11, event...)
					body = inSpan(body).Len(13, unknown(wiretest.Msg{}).Len(1, bytes.Repeat([]byte{3}, 16)...).Len(2, bytes.Repeat([]byte{4}, 8)...)...)
				}
				body = inSpan(body.Len(15, unknown(wiretest.Msg{}).Str(2, "message").Varint(3, 2)...))
				scopes := unknown(unknown(wiretest.Msg{}).Len(1, scope...).Len(2, body...))
				resource := unknown(wiretest.Msg{}).Len(1, unknown(wiretest.Msg{}).Len(1, wiretest.KV("service.name", wiretest.Msg{}.Str(1, "s"))...)...)
				request := wiretest.Msg{}.Len(1, unknown(resource).Len(2, scopes...)...)
				var r wire.Request
				require.NoError(t, r.Scan(request))
				sameAsPdata(t, request)
				for cut := range inSpan(wiretest.Msg{}) {
					sameAsPdata(t, wiretest.InRequest(wiretest.ASpan().Raw(inSpan(wiretest.Msg{})[:cut]...)))
				}
			})
		}
	}
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
