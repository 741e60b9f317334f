package book

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"github.com/prometheus/common/model"
	"go.etcd.io/bbolt"

	"github.com/slowburn/slowburn/internal/state"
	"github.com/slowburn/slowburn/slo/engine/internal/samples"
)

// cursorsBucket holds the cursors: fingerprint → Unix ms ‖ bits of the value, 8 bytes each, big endian.
const cursorsBucket = "span_cursors"

// Cursors returns how far each series was read.
func Cursors(tx *bbolt.Tx) (samples.Cursors, error) {
	known := samples.Cursors{}
	err := tx.Bucket([]byte(cursorsBucket)).ForEach(func(k, v []byte) error {
		if len(k) != 8 || len(v) != 16 {
			return fmt.Errorf("%w: the cursor of a series has %d and %d bytes", state.ErrCorrupt, len(k), len(v))
		}
		known[model.Fingerprint(binary.BigEndian.Uint64(k))] = samples.Cursor{
			At: int64(binary.BigEndian.Uint64(v)), Value: math.Float64frombits(binary.BigEndian.Uint64(v[8:])),
		}
		return nil
	})
	return known, err
}

// PutCursors stores cursors and leaves those of other series as they are.
func PutCursors(tx *bbolt.Tx, cs samples.Cursors) error {
	b := tx.Bucket([]byte(cursorsBucket))
	for id, c := range cs {
		v := binary.BigEndian.AppendUint64(nil, uint64(c.At))
		v = binary.BigEndian.AppendUint64(v, math.Float64bits(c.Value))
		if err := b.Put(binary.BigEndian.AppendUint64(nil, uint64(id)), v); err != nil {
			return err
		}
	}
	return nil
}

// PruneCursors deletes those of the cursors that are old.
func PruneCursors(tx *bbolt.Tx, cs samples.Cursors, now time.Time) error {
	b := tx.Bucket([]byte(cursorsBucket))
	for id, c := range cs {
		if !c.Old(now) {
			continue
		}
		if err := b.Delete(binary.BigEndian.AppendUint64(nil, uint64(id))); err != nil {
			return err
		}
	}
	return nil
}
