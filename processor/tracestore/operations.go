package tracestore

import (
	"encoding/binary"
	"time"

	"go.etcd.io/bbolt"
)

const (
	// maxOperations is how many operations are listed. Span names with IDs in them have no end.
	maxOperations = 20_000
	// maxNameBytes is how much of a name is listed; bbolt's keys have a limit.
	maxNameBytes = 1024
	// operationGrain is how often an operation's last sight is written anew.
	operationGrain = time.Minute
)

func operationKey(op operation) []byte {
	service, name := op.service[:min(len(op.service), maxNameBytes)], op.name[:min(len(op.name), maxNameBytes)]
	key := binary.BigEndian.AppendUint16(nil, uint16(len(service)))
	return append(append(key, service...), name...)
}

// operationOf reads a key that operationKey made, and false where it is none.
func operationOf(key []byte) (operation, bool) {
	if len(key) < 2 {
		return operation{}, false
	}
	n := int(binary.BigEndian.Uint16(key))
	if key = key[2:]; n > len(key) {
		return operation{}, false
	}
	return operation{string(key[:n]), string(key[n:])}, true
}

// putOperations notes that the operations of what was written were seen now.
func (s *store) putOperations(tx *bbolt.Tx, done *written) error {
	b := tx.Bucket(bucketOperations)
	now := uint64(s.now().UnixNano())
	for _, op := range done.named {
		key := operationKey(op)
		switch last := b.Get(key); {
		case len(last) == 8 && binary.BigEndian.Uint64(last)+uint64(operationGrain) > now:
			continue
		case last == nil && s.writer.operations+done.operations >= maxOperations:
			continue
		case last == nil:
			done.operations++
		}
		if err := b.Put(key, binary.BigEndian.AppendUint64(nil, now)); err != nil {
			return err
		}
	}
	return nil
}

// pruneOperations forgets those last seen before the oldest trace was stored.
func (s *store) pruneOperations(tx *bbolt.Tx) error {
	oldest := uint64(s.now().UnixNano())
	if k, _ := tx.Bucket(bucketTraces).Cursor().First(); len(k) >= 8 {
		oldest = binary.BigEndian.Uint64(k)
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
	s.writer.operations = n
	return nil
}
