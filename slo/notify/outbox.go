package notify

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"github.com/slowburn/slowburn/internal/state"
)

const (
	pendingBucket = "outbox_pending" // receiver ‖ 0 ‖ ID → Delivery
	doneBucket    = "outbox_done"    // ID → Delivery
)

// Buckets names the top-level buckets of the outbox.
var Buckets = []string{pendingBucket, doneBucket}

// keepDone is how long a delivered or dead delivery is kept.
const keepDone = 7 * 24 * time.Hour

func pendingKey(receiver string, id uint64) []byte {
	return binary.BigEndian.AppendUint64(pendingPrefix(receiver), id)
}

func pendingPrefix(receiver string) []byte { return append([]byte(receiver), 0) }

func doneKey(id uint64) []byte { return binary.BigEndian.AppendUint64(nil, id) }

// Put adds a delivery to the outbox and numbers it. Call Wake on the Sender once the transaction is committed.
func Put(tx *bbolt.Tx, d Delivery) error {
	b := tx.Bucket([]byte(pendingBucket))
	id, err := b.NextSequence()
	if err != nil {
		return err
	}
	d.ID = id
	return state.Put(b, pendingKey(d.Receiver, id), d)
}

// pendingAt decodes a pending delivery. It returns state.ErrCorrupt if the key is not the delivery's own: finish would leave
// such a record, which would then be sent again and again.
func pendingAt(k, v []byte) (Delivery, error) {
	d, err := state.Decode[Delivery](v)
	if err == nil && !bytes.Equal(k, pendingKey(d.Receiver, d.ID)) {
		err = fmt.Errorf("%w: it holds another key", state.ErrCorrupt)
	}
	if err != nil {
		return d, fmt.Errorf("delivery %q: %w", k, err)
	}
	return d, nil
}

// finish moves a delivery from the pending bucket to that of done ones.
func finish(tx *bbolt.Tx, d Delivery) error {
	if err := tx.Bucket([]byte(pendingBucket)).Delete(pendingKey(d.Receiver, d.ID)); err != nil {
		return err
	}
	return state.Put(tx.Bucket([]byte(doneBucket)), doneKey(d.ID), d)
}

// nextDue returns the delivery that the receiver is due next, and false if none is pending. Of each objective only the oldest
// may go; of those it is the one that is due first.
func nextDue(tx *bbolt.Tx, receiver string, now time.Time) (Delivery, bool, error) {
	var first Delivery
	found := false
	seen := map[string]bool{}
	prefix := pendingPrefix(receiver)
	c := tx.Bucket([]byte(pendingBucket)).Cursor()
	for k, v := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, v = c.Next() {
		d, err := pendingAt(k, v)
		if err != nil {
			return first, false, err
		}
		if seen[d.Objective] {
			continue
		}
		seen[d.Objective] = true
		if !found || d.dueAt(now).Before(first.dueAt(now)) {
			first, found = d, true
		}
	}
	return first, found, nil
}

// CountPending returns how many deliveries are pending.
func CountPending(tx *bbolt.Tx) int {
	return tx.Bucket([]byte(pendingBucket)).Inspect().KeyN
}

// List returns up to limit deliveries, newest first.
func List(tx *bbolt.Tx, limit int) ([]Delivery, error) {
	var all []Delivery
	err := tx.Bucket([]byte(pendingBucket)).ForEach(func(k, v []byte) error {
		d, err := pendingAt(k, v)
		if err != nil {
			return err
		}
		all = append(all, d)
		return nil
	})
	if err != nil {
		return nil, err
	}
	c := tx.Bucket([]byte(doneBucket)).Cursor()
	pending := len(all)
	for k, v := c.Last(); k != nil && len(all)-pending < limit; k, v = c.Prev() {
		d, err := state.Decode[Delivery](v)
		if err != nil {
			return nil, fmt.Errorf("delivery %x: %w", k, err)
		}
		all = append(all, d)
	}
	slices.SortFunc(all, func(a, b Delivery) int { return cmp.Compare(b.ID, a.ID) })
	return all[:min(limit, len(all))], nil
}

// Abandon marks the pending deliveries of receivers that are not in the list as dead, and returns how many there were.
func Abandon(tx *bbolt.Tx, receivers []string, now time.Time) (int, error) {
	var orphans []Delivery
	err := tx.Bucket([]byte(pendingBucket)).ForEach(func(k, v []byte) error {
		d, err := pendingAt(k, v)
		if err != nil {
			return err
		}
		if !slices.Contains(receivers, d.Receiver) {
			orphans = append(orphans, d)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	for _, d := range orphans {
		d.State, d.DoneAt, d.LastError = Dead, now, "the receiver is no longer configured"
		if err := finish(tx, d); err != nil {
			return 0, err
		}
	}
	return len(orphans), nil
}

// Prune deletes deliveries that were done more than keepDone ago.
func Prune(tx *bbolt.Tx, now time.Time) error {
	c := tx.Bucket([]byte(doneBucket)).Cursor()
	for k, v := c.First(); k != nil; k, v = c.First() {
		d, err := state.Decode[Delivery](v)
		if err != nil {
			return fmt.Errorf("delivery %x: %w", k, err)
		}
		if now.Sub(d.DoneAt) < keepDone {
			return nil // the deliveries behind this one are mostly younger; an older one waits for it, a few days at most
		}
		if err := c.Delete(); err != nil {
			return err
		}
	}
	return nil
}
