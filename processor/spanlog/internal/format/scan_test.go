package format

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// segment holds a segment's bytes, as internal/spanlog writes them.
type segment struct {
	b        []byte
	sequence uint64
	starts   []int // of its records
}

func newSegment(sequence uint64) *segment {
	s := &segment{b: make([]byte, HeaderSize), sequence: sequence}
	(&Header{Sequence: sequence, Size: 1 << 14}).Put(s.b)
	SetMagic(s.b, MagicSegment)
	return s
}

func (s *segment) put(k Kind, ref uint32, arrived int32, payload string) uint32 {
	at := len(s.b)
	s.starts = append(s.starts, at)
	s.b = append(s.b, make([]byte, RecordHeaderSize)...)
	s.b = append(s.b, payload...)
	binary.LittleEndian.PutUint32(s.b[at+LengthAt:], uint32(len(payload)))
	binary.LittleEndian.PutUint32(s.b[at+RefAt:], uint32(k)<<KindShift|ref)
	binary.LittleEndian.PutUint32(s.b[at+ArrivedAt:], uint32(arrived))
	s.sum(at)
	return uint32(at)
}

// sum sets a record's checksum.
func (s *segment) sum(at int) {
	end := at + RecordHeaderSize + int(binary.LittleEndian.Uint32(s.b[at+LengthAt:]))
	binary.LittleEndian.PutUint32(s.b[at:], RecordChecksum(s.sequence, s.b[at:end]))
}

func (s *segment) origin(resource, scope string) uint32 {
	return s.put(KindScope, s.put(KindResource, 0, 0, resource), 0, scope)
}

func (s *segment) span(scope uint32, body string) uint32 { return s.put(KindSpan, scope, 7, body) }

func (s *segment) copied(scope uint32, at Position, body string) uint32 {
	return s.put(KindCopied, scope, -7, string(binary.LittleEndian.AppendUint64(nil, uint64(at)))+body)
}

// bytes returns the whole segment, with its end in the header.
func (s *segment) bytes() []byte {
	SetUsed(s.b, uint32(len(s.b)))
	return s.b
}

// scanAll returns the records in the bytes of a segment whose header has this end.
func scanAll(b []byte, sealed, whole int) (found []string, used int, damage []Damage) {
	s := Scanner{Path: "file", Bytes: b, Sequence: 2, Created: 1000, Sealed: sealed, Whole: whole}
	used = int(s.Scan(func(f Found) {
		found = append(found, fmt.Sprintf("%s/%s/%s", f.Resource, f.Scope, f.Body))
	}))
	return found, used, s.Damage
}

func TestScanFindsEverything(t *testing.T) {
	seg := newSegment(2)
	scope := seg.origin("res", "scope")
	span := seg.span(scope, "one")
	copied := seg.copied(scope, PositionOf(1, 77), "two")
	b := append(seg.bytes(), make([]byte, 100)...)
	var got []Found
	s := Scanner{Bytes: b, Sequence: 2, Created: 1000, Sealed: len(seg.b), Whole: len(b)}
	used := s.Scan(func(f Found) { got = append(got, f) })
	assert.EqualValues(t, len(seg.b), used)
	assert.Empty(t, s.Damage)
	assert.Equal(t, []Found{
		{At: span, Size: RecordHeaderSize + 3, Position: PositionOf(2, span), Arrived: 1007,
			Body: []byte("one"), Resource: []byte("res"), Scope: []byte("scope")},
		{At: copied, Size: RecordHeaderSize + 8 + 3, Position: PositionOf(1, 77), Arrived: 993, Copied: true,
			Body: []byte("two"), Resource: []byte("res"), Scope: []byte("scope")},
	}, got)
	assert.Equal(t, 2, CountSpans(b, HeaderSize, len(seg.b)))
	assert.Equal(t, 1, CountSpans(b, HeaderSize, int(span)+RecordHeaderSize))
	assert.Equal(t, 0, CountSpans(b, HeaderSize, int(span)+RecordHeaderSize-1))
}

// Wherever the written bytes end, the records before it are found, and nothing is counted as lost.
func TestScanOfEveryTornTail(t *testing.T) {
	seg := newSegment(2)
	scope := seg.origin("res", "scope")
	for i := range 4 {
		seg.span(scope, fmt.Sprintf("span %d", i))
	}
	whole := append(seg.bytes(), make([]byte, 64)...)
	all, end, damage := scanAll(whole, len(seg.b), len(whole))
	require.Len(t, all, 4)
	require.Equal(t, len(seg.b), end)
	require.Empty(t, damage)
	for cut := HeaderSize; cut <= end; cut++ {
		torn := bytes.Clone(whole)
		clear(torn[cut:])
		committed, spans := HeaderSize, 0
		for i := range seg.starts {
			next := end
			if i+1 < len(seg.starts) {
				next = seg.starts[i+1]
			}
			if bytes.Equal(torn[:next], whole[:next]) {
				committed = next
				if i >= 2 {
					spans++
				}
			}
		}
		got, used, damage := scanAll(torn, committed, len(torn))
		require.Equal(t, all[:spans], append([]string{}, got...), "cut at %d", cut)
		require.Equal(t, committed, used, "cut at %d", cut)
		begun := binary.LittleEndian.Uint32(torn[committed+LengthAt:]) != 0
		if !begun {
			require.Empty(t, damage, "cut at %d", cut)
			continue
		}
		require.Equal(t, []Damage{{Path: "file", Offset: committed, Torn: true,
			Reason: "a record was being written when the process ended, and was cut"}}, damage, "cut at %d", cut)
	}
}

// A damaged record is skipped, whichever of its bytes is damaged; a damaged origin costs the spans that refer to it.
func TestScanPassesOverDamage(t *testing.T) {
	seg := newSegment(2)
	first := seg.origin("one", "x")
	seg.span(first, "a")
	second := seg.origin("two", "y")
	seg.span(second, "b")
	seg.copied(second, PositionOf(1, 64), "c")
	seg.span(first, "d")
	whole := append(seg.bytes(), make([]byte, 64)...)
	lostWith := [][]string{
		{"one/x/a", "one/x/d"}, {"one/x/a", "one/x/d"}, {"one/x/a"}, {"two/y/b", "two/y/c"}, {"two/y/b", "two/y/c"},
		{"two/y/b"}, {"two/y/c"}, {"one/x/d"},
	}
	for i, at := range seg.starts {
		end := len(seg.b)
		if i+1 < len(seg.starts) {
			end = seg.starts[i+1]
		}
		for n := at; n < end; n++ {
			if n >= at+PrevAt && n < at+LengthAt {
				continue // outside the checksum
			}
			b := bytes.Clone(whole)
			b[n] ^= 0x10
			got, _, damage := scanAll(b, len(seg.b), len(b))
			for _, s := range []string{"one/x/a", "two/y/b", "two/y/c", "one/x/d"} {
				gone := false
				for _, lost := range lostWith[i] {
					gone = gone || s == lost
				}
				require.Equal(t, !gone, contains(got, s), "byte %d of record %d: %s", n-at, i, s)
			}
			require.NotEmpty(t, damage)
			require.Equal(t, at, damage[0].Offset)
			lost := 0
			for _, d := range damage {
				lost += d.Lost
			}
			require.GreaterOrEqual(t, lost, len(lostWith[i]), "byte %d of record %d", n-at, i)
		}
	}
}

func contains(list []string, s string) bool {
	for _, e := range list {
		if e == s {
			return true
		}
	}
	return false
}

// Records with a valid checksum and impossible contents.
func TestScanBelievesNothingImpossible(t *testing.T) {
	for name, put := range map[string]func(*segment, uint32){
		"a resource in something":      func(s *segment, scope uint32) { s.put(KindResource, scope, 0, "r") },
		"a span in the header":         func(s *segment, _ uint32) { s.put(KindSpan, HeaderSize-1, 0, "span") },
		"a span in itself":             func(s *segment, _ uint32) { s.put(KindSpan, uint32(len(s.b)), 0, "span") },
		"a copy in the header":         func(s *segment, _ uint32) { s.put(KindCopied, HeaderSize-1, 0, "position") },
		"a copy in itself":             func(s *segment, _ uint32) { s.put(KindCopied, uint32(len(s.b)), 0, "position") },
		"a copy without a position":    func(s *segment, scope uint32) { s.put(KindCopied, scope, 0, "positio") },
		"a span in a resource":         func(s *segment, scope uint32) { s.put(KindSpan, HeaderSize, 0, "span") },
		"a span in what is no record":  func(s *segment, scope uint32) { s.put(KindSpan, scope+1, 0, "span") },
		"a scope in a scope, and more": func(s *segment, scope uint32) { s.span(s.put(KindScope, scope, 0, "s"), "span") },
	} {
		t.Run(name, func(t *testing.T) {
			seg := newSegment(2)
			scope := seg.origin("res", "scope")
			put(seg, scope)
			seg.span(scope, "good")
			got, _, damage := scanAll(append(seg.bytes(), make([]byte, 64)...), len(seg.b), 0)
			assert.Equal(t, []string{"res/scope/good"}, got)
			assert.Len(t, damage, 1)
		})
	}
	seg := newSegment(2)
	scope := seg.origin("res", "scope")
	seg.copied(scope, 0, "")
	got, _, damage := scanAll(seg.bytes(), len(seg.b), 0)
	assert.Equal(t, []string{"res/scope/"}, got, "an empty span may be")
	assert.Empty(t, damage)
}

// The loss from a truncated file is estimated by the size of the spans found, or by 500 bytes without any.
func TestScanEstimatesWhatIsCutOff(t *testing.T) {
	seg := newSegment(2)
	scope := seg.origin("res", "scope")
	for range 10 {
		seg.span(scope, string(make([]byte, 80)))
	}
	b := seg.bytes()
	for _, tc := range []struct{ size, sealed, whole, found, lost int }{
		{len(b), len(b), 5000, 10, 0},
		{len(b) - 1, len(b), 5000, 9, 1},
		{seg.starts[2], len(b), 5000, 0, 2},
		{seg.starts[7], len(b), 5000, 5, 4},
		{seg.starts[7], 0, 5000, 5, (5000 - seg.starts[7]) / ((seg.starts[7] - HeaderSize) / 5)},
		{seg.starts[7], 6000, 5000, 5, (5000 - seg.starts[7]) / ((seg.starts[7] - HeaderSize) / 5)},
		{seg.starts[7], 5000, 5000, 5, (5000 - seg.starts[7]) / ((seg.starts[7] - HeaderSize) / 5)},
		{seg.starts[7], seg.starts[7] - 1, 5000, 5, 0},
	} {
		found, _, damage := scanAll(b[:tc.size], tc.sealed, tc.whole)
		assert.Len(t, found, tc.found)
		if tc.lost == 0 {
			assert.Empty(t, damage, "%+v", tc)
			continue
		}
		require.Len(t, damage, 1, "%+v", tc)
		assert.Equal(t, tc.lost, damage[0].Lost, "%+v", tc)
		assert.Contains(t, damage[0].Reason, fmt.Sprintf("the file is cut off: it has %d bytes of 5000", tc.size))
	}
}

// After a power cut the end of the records may be on the disk, and some of them not: their bytes are zero, which are no spans of 20
// bytes each. Their number is estimated as for a file that is cut off.
func TestScanEstimatesWhatIsZero(t *testing.T) {
	seg := newSegment(2)
	scope := seg.origin("res", "scope")
	for range 10 {
		seg.span(scope, string(make([]byte, 80)))
	}
	b := append(seg.bytes(), make([]byte, 1000)...)
	end := len(seg.b)
	for _, tc := range []struct{ from, found, lost int }{
		{end, 10, 0},
		{end - 1, 10, 0}, // of a span that ends with a zero
		{seg.starts[2], 0, (end - seg.starts[2] + 499) / 500},
		{seg.starts[7] + RecordHeaderSize, 6, 4},
		{seg.starts[7], 5, 5},
		{seg.starts[11], 9, 1},
	} {
		zeroed := bytes.Clone(b)
		clear(zeroed[tc.from:])
		found, _, damage := scanAll(zeroed, end, len(b))
		lost := 0
		for _, d := range damage {
			lost += d.Lost
		}
		assert.Len(t, found, tc.found, "%+v", tc)
		assert.Equal(t, tc.lost, lost, "%+v", tc)
	}
	assert.Equal(t, 10, CountSpans(b, HeaderSize, len(b)), "what follows the last record is none")
	binary.LittleEndian.PutUint32(b[end+RefAt:], uint32(KindSpan)<<KindShift|scope)
	assert.Equal(t, 10, CountSpans(b, HeaderSize, len(b)), "of a former use of the file, too")
}

func TestDamageSaysWhatAndWhere(t *testing.T) {
	assert.Equal(t, "dir/file at offset 7: it is bad; 3 spans lost", Damage{Path: "dir/file", Offset: 7, Reason: "it is bad", Lost: 3}.String())
}

// The search for an intact record is bounded, whatever spans contain.
func TestScanIsBounded(t *testing.T) {
	seg := newSegment(2)
	scope := seg.origin("res", "scope")
	// Each 20 bytes look like a record that reaches to the end.
	var fake []byte
	const size = 64 << 10
	for at := len(seg.b) + RecordHeaderSize; len(fake) < size; at += RecordHeaderSize {
		record := make([]byte, RecordHeaderSize)
		binary.LittleEndian.PutUint32(record[LengthAt:], uint32(size-len(fake)-2*RecordHeaderSize))
		binary.LittleEndian.PutUint32(record[RefAt:], uint32(KindSpan)<<KindShift|scope)
		fake = append(fake, record...)
	}
	bad := seg.span(scope, string(fake))
	good := seg.span(scope, "good")
	b := seg.bytes()
	b[bad] ^= 1
	s := Scanner{Bytes: b, Sequence: 2, Sealed: len(b), Whole: len(b)}
	var found []uint32
	s.Scan(func(f Found) { found = append(found, f.At) })
	assert.Equal(t, []uint32{good}, found, "by the length of the damaged record")

	binary.LittleEndian.PutUint32(b[bad+LengthAt:], 1) // no usable length
	s = Scanner{Bytes: b, Sequence: 2, Sealed: len(b), Whole: len(b)}
	s.Scan(func(Found) { t.Error("the search went on for too long") })
	assert.LessOrEqual(t, s.budget, 0)
	assert.Greater(t, s.budget, -len(b))
}

// FuzzScan reads arbitrary bytes: the reader neither panics nor returns records without a valid checksum.
func FuzzScan(f *testing.F) {
	seg := newSegment(2)
	scope := seg.origin("resource", "scope")
	for i := range 10 {
		seg.span(scope, fmt.Sprintf("span %d", i))
	}
	b := seg.bytes()
	f.Add(bytes.Clone(b), uint16(70), byte(1))
	f.Add(bytes.Clone(b[:200]), uint16(150), byte(0x80))
	f.Add([]byte{}, uint16(0), byte(0))
	f.Fuzz(func(t *testing.T, b []byte, at uint16, flip byte) {
		if int(at) < len(b) {
			b[at] ^= flip
		}
		s := Scanner{Bytes: b, Sequence: 2, Sealed: len(b)}
		used := s.Scan(func(f Found) {
			end := f.At + f.Size
			if RecordChecksum(2, b[f.At:end]) != binary.LittleEndian.Uint32(b[f.At:]) {
				t.Fatal("a span without a checksum")
			}
		})
		if int(used) > max(len(b), HeaderSize) {
			t.Fatal("beyond the end")
		}
	})
}

// A record may reach the end of the file, to the byte.
func TestScanAtTheVeryEnd(t *testing.T) {
	seg := newSegment(2)
	scope := seg.origin("res", "scope")
	seg.span(scope, "one")
	last := seg.span(scope, "")
	b := seg.bytes()
	found, used, damage := scanAll(b, len(b), len(b))
	assert.Equal(t, []string{"res/scope/one", "res/scope/"}, found, "the last record has no payload")
	assert.Equal(t, len(b), used)
	assert.Empty(t, damage)

	tail := append(bytes.Clone(b[:last]), make([]byte, RecordHeaderSize)...)
	binary.LittleEndian.PutUint32(tail[int(last)+LengthAt:], 1)
	_, used, damage = scanAll(tail, int(last), len(tail))
	assert.EqualValues(t, last, used)
	require.Len(t, damage, 1)
	assert.True(t, damage[0].Torn)
	_, _, damage = scanAll(tail[:len(tail)-1], int(last), len(tail)-1)
	assert.Empty(t, damage, "there is no room for a record")

	// A damaged record that ends one byte before the sealed end is damage, and no torn tail.
	_, _, damage = scanAll(tail, int(last)+1, len(tail))
	require.Len(t, damage, 1)
	assert.False(t, damage[0].Torn)
	assert.Equal(t, 1, damage[0].Lost)

	// The record behind a damaged one may be the last, and have no payload.
	b[seg.starts[2]+RecordHeaderSize] ^= 1
	found, _, damage = scanAll(b, len(b), len(b))
	assert.Equal(t, []string{"res/scope/"}, found)
	require.Len(t, damage, 1)
	binary.LittleEndian.PutUint32(b[seg.starts[2]+LengthAt:], 1<<31) // no usable length
	found, _, _ = scanAll(b, len(b), len(b))
	assert.Equal(t, []string{"res/scope/"}, found)
	binary.LittleEndian.PutUint32(b[seg.starts[2]+LengthAt:], 100) // nor one that is slightly too long
	found, _, _ = scanAll(b, len(b), len(b))
	assert.Equal(t, []string{"res/scope/"}, found)
}
