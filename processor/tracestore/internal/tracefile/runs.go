package tracefile

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
	"sort"

	"github.com/cespare/xxhash/v2"
	"go.etcd.io/bbolt"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

// Bucket ids finds traces by their IDs, which are random: with an entry for each, every trace would write a page of its own.
// So it has runs, each of what several chunks hold, as entries in the order of the hashes of IDs:
//
//	number of the last chunk (8) → entries: hash (8) | place (10)
//
// A transaction adds a run, merged with those before it that are not much larger: there are about as many as the logarithm of
// the traces in a full run, and the full ones. A run is deleted with the last of its chunks.
const (
	runEntryBytes = 8 + len(place{})
	// maxRunBytes is the largest size of a run, which one transaction may have to write in a merge.
	maxRunBytes = 1 << 20
	// mergeRatio is the largest ratio of a run to what follows it at which they are merged.
	mergeRatio = 2
)

// located is a trace's hash and place.
type located struct {
	hash  uint64
	place place
}

func hashOf(id pcommon.TraceID) uint64 { return xxhash.Sum64(id[:]) }

// run is the value of a run. It ignores an incomplete entry at its end.
type run []byte

func (r run) len() int           { return len(r) / runEntryBytes }
func (r run) hash(i int) uint64  { return binary.BigEndian.Uint64(r[i*runEntryBytes:]) }
func (r run) place(i int) place  { return place(r[i*runEntryBytes+8:]) }
func (r run) entry(i int) []byte { return r[i*runEntryBytes : (i+1)*runEntryBytes] }

// newRun returns a run of traces, which it sorts.
func newRun(traces []located) run {
	slices.SortFunc(traces, func(a, b located) int { return cmp.Compare(a.hash, b.hash) })
	r := make(run, 0, len(traces)*runEntryBytes)
	for i := range traces {
		r = append(binary.BigEndian.AppendUint64(r, traces[i].hash), traces[i].place[:]...)
	}
	return r
}

// search returns the first entry whose hash is not below h. Hashes are spread evenly, so it begins near the expected place.
func (r run) search(h uint64) int {
	n := r.len()
	guess, _ := bits.Mul64(h, uint64(n))
	step := 1 + int(math.Sqrt(float64(n))/2)
	lo, hi := int(guess), int(guess)
	for ; hi < n && r.hash(hi) < h; step *= 2 {
		lo, hi = hi+1, hi+step
	}
	for ; lo > 0 && r.hash(min(lo, n)-1) >= h; step *= 2 {
		hi, lo = lo, max(0, lo-step)
	}
	hi = min(hi, n)
	return lo + sort.Search(hi-lo, func(i int) bool { return r.hash(lo+i) >= h })
}

// merged returns the union of two runs.
func (r run) merged(o run) run {
	all := make(run, 0, len(r)+len(o))
	i, j := 0, 0
	for i < r.len() && j < o.len() {
		if r.hash(i) <= o.hash(j) {
			all = append(all, r.entry(i)...)
			i++
		} else {
			all = append(all, o.entry(j)...)
			j++
		}
	}
	return append(append(all, r[i*runEntryBytes:r.len()*runEntryBytes]...), o[j*runEntryBytes:o.len()*runEntryBytes]...)
}

// putRun stores the places of a transaction's traces. chunk is its last chunk.
func putRun(tx *bbolt.Tx, traces []located, chunk uint64) error {
	b := tx.Bucket(bucketIDs)
	all := newRun(traces)
	var gone [][]byte
	c := b.Cursor()
	for k, _ := c.Last(); k != nil; k, _ = c.Prev() {
		before := blob(b, k)
		if len(before) > mergeRatio*len(all) || len(before)+len(all) > maxRunBytes {
			break
		}
		all = run(before).merged(all)
		gone = append(gone, bytes.Clone(k))
	}
	for _, k := range gone {
		if err := deleteBlob(b, k); err != nil {
			return err
		}
	}
	return putBlob(b, chunkKey(chunk), all)
}

// runsOf returns the runs, newest first.
func runsOf(tx *bbolt.Tx) (runs []run) {
	b := tx.Bucket(bucketIDs)
	c := b.Cursor()
	for k, _ := c.Last(); k != nil; k, _ = c.Prev() {
		runs = append(runs, blob(b, k))
	}
	return runs
}

// deleteRuns deletes the runs of chunks that are gone.
func deleteRuns(tx *bbolt.Tx) error {
	b, oldest := tx.Bucket(bucketIDs), chunkKey(oldestChunk(tx))
	var gone [][]byte
	c := b.Cursor()
	for k, _ := c.First(); k != nil && bytes.Compare(k, oldest) < 0; k, _ = c.Next() {
		gone = append(gone, bytes.Clone(k))
	}
	for _, k := range gone {
		if err := deleteBlob(b, k); err != nil {
			return err
		}
	}
	return nil
}
