package state

import (
	"encoding/json"
	"fmt"

	"go.etcd.io/bbolt"
)

// formatJSON is the first byte of a record of Put. Another encoding would have another byte, so that both can be in
// one bucket during a migration.
const formatJSON = 1

// Put stores v as JSON under the key.
func Put[T any](b *bbolt.Bucket, key []byte, v T) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode record %q: %w", key, err)
	}
	return b.Put(key, append([]byte{formatJSON}, body...))
}

// Get reads the record under the key, and returns false if there is none. An error says that the record is
// unreadable.
func Get[T any](b *bbolt.Bucket, key []byte) (T, bool, error) {
	record := b.Get(key)
	if record == nil {
		var zero T
		return zero, false, nil
	}
	v, err := Decode[T](record)
	if err != nil {
		return v, false, fmt.Errorf("record %q: %w", key, err)
	}
	return v, true, nil
}

// Decode decodes a record of Put, for a cursor over a bucket.
func Decode[T any](record []byte) (T, error) {
	var v, zero T
	if len(record) == 0 || record[0] != formatJSON {
		return zero, fmt.Errorf("%w: unknown record format", ErrCorrupt)
	}
	if err := json.Unmarshal(record[1:], &v); err != nil {
		return zero, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return v, nil
}
