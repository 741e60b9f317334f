package tracefile

import (
	"encoding/binary"
	"time"

	"go.etcd.io/bbolt"

	"github.com/slowburn/slowburn/processor/tracestore/internal/digest"
)

const (
	// maxOperations is the number of operations that are listed. Span names with IDs in them are unlimited.
	maxOperations = 20_000
	// maxNameBytes is the length of a listed name, as bbolt's keys are limited.
	maxNameBytes = 1024
	// operationGrain is the least time between two updates of an operation's last sight.
	operationGrain = time.Minute
)

func operationKey(op digest.Operation) []byte {
	service, name := op.Service[:min(len(op.Service), maxNameBytes)], op.Name[:min(len(op.Name), maxNameBytes)]
	key := binary.BigEndian.AppendUint16(nil, uint16(len(service)))
	return append(append(key, service...), name...)
}

// operationOf parses a key of operationKey. It returns false for any other.
func operationOf(key []byte) (digest.Operation, bool) {
	if len(key) < 2 {
		return digest.Operation{}, false
	}
	n := int(binary.BigEndian.Uint16(key))
	if key = key[2:]; n > len(key) {
		return digest.Operation{}, false
	}
	return digest.Operation{Service: string(key[:n]), Name: string(key[n:])}, true
}

// putOperations sets the last sight of the written traces' operations to now.
func (w *writing) putOperations() error {
	b := w.tx.Bucket(bucketOperations)
	now := uint64(w.now.UnixNano())
	for _, op := range w.named {
		key := operationKey(op)
		switch last := b.Get(key); {
		case len(last) == 8 && binary.BigEndian.Uint64(last)+uint64(operationGrain) > now:
			continue
		case last == nil && w.listed+w.operations >= maxOperations:
			continue
		case last == nil:
			w.operations++
		}
		if err := b.Put(key, binary.BigEndian.AppendUint64(nil, now)); err != nil {
			return err
		}
	}
	return nil
}

// Prune deletes the operations that were last seen before the oldest trace was stored.
func (f *File) Prune() error { return f.update(f.pruneOperations) }

func (f *File) pruneOperations(tx *bbolt.Tx) error {
	oldest := uint64(f.opts.Now().UnixNano())
	r := newReading(tx)
	if c, ok := r.head(r.oldest); ok {
		oldest = c.stored()
	}
	b := tx.Bucket(bucketOperations)
	var gone [][]byte
	n := 0
	c := b.Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		if len(v) != 8 || binary.BigEndian.Uint64(v)+uint64(operationGrain) < oldest {
			gone = append(gone, k)
			continue
		}
		n++
	}
	for _, k := range gone {
		if err := b.Delete(k); err != nil {
			return err
		}
	}
	f.operations = n
	return nil
}
