package tracefile

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/tracestore/internal/digest"
	"github.com/slowburn/slowburn/processor/tracestore/internal/record"
)

// FuzzChunk reads chunks of arbitrary bytes, with a valid checksum if wanted: the reader neither panics nor reads out of bounds.
func FuzzChunk(f *testing.F) {
	b := builder{limit: 1 << 20}
	for i := range 3 {
		item := &Item{ID: [16]byte{byte(i)}, Packed: record.Pack([]byte("spans"))}
		item.Start, item.Terms = uint64(i), []uint64{1, 2}
		b.add(item)
	}
	whole := slices.Clone(b.build(7))
	f.Add(whole, uint16(0), byte(0), false)
	f.Add(whole, uint16(chunkPrefix), byte(1), true)
	f.Add(whole, uint16(20), byte(0xff), true)
	f.Add([]byte{}, uint16(0), byte(0), true)
	f.Fuzz(func(t *testing.T, data []byte, at uint16, flip byte, mend bool) {
		if int(at) < len(data) {
			data[at] ^= flip
		}
		if mend && len(data) >= chunkPrefix {
			head := chunkPrefix + uint64(binary.BigEndian.Uint32(data[13:]))*traceBytes + uint64(binary.BigEndian.Uint32(data[17:]))*entryBytes
			if head <= uint64(len(data)) {
				binary.BigEndian.PutUint32(data[1:], crc32.Checksum(data[5:head], castagnoli))
			}
		}
		c, err := readChunk(data)
		if err != nil {
			require.ErrorIs(t, err, errChunk)
			return
		}
		require.LessOrEqual(t, c.traces*traceBytes+c.entries*entryBytes, len(data))
		c.stored()
		records := 0
		for slot := range c.traces {
			c.at(slot)
			stored := c.record(slot)
			records += len(stored)
			size, ok := record.Size(stored)
			if h, spans, err := record.Decode(stored); err == nil {
				require.True(t, ok)
				require.Equal(t, len(spans), size)
				require.LessOrEqual(t, len(h.Terms), len(stored))
			}
		}
		for i := range c.entries {
			c.entry(i)
		}
		require.Nil(t, c.record(c.traces))
	})
}

// FuzzRun compares the search of a run, and the merging of two, with a scan of all entries.
func FuzzRun(f *testing.F) {
	f.Add([]byte("some bytes that are a few entries of a run, of which each has eighteen"), []byte("and others of another one, too"), uint64(5), true)
	f.Add(bytes.Repeat([]byte{0xff}, 40), []byte{}, ^uint64(0), false)
	f.Fuzz(func(t *testing.T, a, b []byte, h uint64, sorted bool) {
		x, y := run(a), run(b)
		if !sorted { // as in a damaged one
			x.search(h)
			require.LessOrEqual(t, len(x.merged(y)), len(a)+len(b))
			return
		}
		x, y = sortedRun(x), sortedRun(y)
		first := x.len()
		for i := range x.len() {
			if x.hash(i) >= h {
				first = i
				break
			}
		}
		require.Equal(t, first, x.search(h))
		all := x.merged(y)
		require.Equal(t, x.len()+y.len(), all.len())
		require.Equal(t, []byte(sortedRun(slices.Concat(x, y))), []byte(all[:len(all):len(all)]), "equal hashes: those of the first, first")
	})
}

// sortedRun sorts the whole entries of a run, keeping the order of those with equal hashes.
func sortedRun(r run) run {
	var of []located
	for i := range r.len() {
		of = append(of, located{r.hash(i), r.place(i)})
	}
	slices.SortStableFunc(of, func(a, b located) int {
		switch {
		case a.hash < b.hash:
			return -1
		case a.hash > b.hash:
			return 1
		}
		return 0
	})
	all := run{}
	for i := range of {
		all = append(binary.BigEndian.AppendUint64(all, of[i].hash), of[i].place[:]...)
	}
	return all
}

// FuzzKeys checks round trips of cursors, which come from clients, and of the keys of operations.
func FuzzKeys(f *testing.F) {
	f.Add(encodeCursor(position{1, 2}), "service", "operation")
	f.Add("", "", "")
	f.Add("!!", strings.Repeat("s", 2000), strings.Repeat("é", 1000))
	f.Fuzz(func(t *testing.T, cursor, service, operation string) {
		q := Query{Cursor: cursor}
		at, _, err := q.first()
		if err != nil {
			require.ErrorIs(t, err, ErrCursor)
		} else if cursor != "" {
			next := Query{Cursor: encodeCursor(at)}
			again, _, err := next.first()
			require.NoError(t, err)
			require.Equal(t, at, again)
		}
		key := operationKey(digest.Operation{Service: service, Name: operation})
		require.LessOrEqual(t, len(key), 2+2*maxNameBytes)
		op, ok := operationOf(key)
		require.True(t, ok)
		require.True(t, strings.HasPrefix(service, op.Service))
		require.True(t, strings.HasPrefix(operation, op.Name))
		operationOf([]byte(cursor))
	})
}

// FuzzLate reads arbitrary bytes as the data stored beside a trace.
func FuzzLate(f *testing.F) {
	l := late{bytes: 5, header: digest.Header{Terms: []uint64{1, 5}, Distinct: 3}}
	f.Add(l.append(nil), uint64(7), uint64(9), "service", int8(3))
	f.Add([]byte{}, uint64(0), ^uint64(0), "", int8(-1))
	f.Fuzz(func(t *testing.T, stored []byte, start, duration uint64, service string, spans int8) {
		if len(stored) >= 8 {
			if h, err := record.Header(stored[8:]); err == nil {
				again, err := record.Header((&late{header: h}).append(nil)[8:])
				require.NoError(t, err)
				require.Equal(t, h, again)
			}
		}
		known := digest.Header{Duration: 10, Terms: []uint64{1, 5}}
		known.Meta.Summary.StartUnixNano = 100
		var part digest.Header
		part.Duration, part.Distinct = duration, int(spans)
		part.Meta.Summary = digest.Summary{StartUnixNano: start, SpanCount: int(spans), Services: []digest.ServiceSummary{{Name: service, Spans: int(spans)}}}
		part.Terms = []uint64{start, 5}
		added := known.Add(&part)
		require.True(t, slices.IsSorted(known.Terms))
		require.NotContains(t, added, uint64(5))
		require.Equal(t, int(spans), known.Meta.Summary.SpanCount)
		require.Empty(t, known.Add(&part), "nothing is new the second time")
	})
}
