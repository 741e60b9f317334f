package notify

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/slowburn/slowburn/internal/state"
	"github.com/slowburn/slowburn/slo/alert"
)

func TestKeys(t *testing.T) {
	a := sample("o", 1)
	n := alert.Notice{Receiver: "r", Kind: alert.Fired}
	keys := map[string]bool{idempotencyKey(a, n): true}
	assert.Len(t, idempotencyKey(a, n), 32)
	assert.Equal(t, idempotencyKey(a, n), idempotencyKey(a, n), "stable")
	other := a
	other.Summary = "other numbers"
	assert.Equal(t, idempotencyKey(a, n), idempotencyKey(other, n), "of the notice, not of its text")

	keys[idempotencyKey(a, alert.Notice{Receiver: "s", Kind: alert.Fired})] = true
	keys[idempotencyKey(a, alert.Notice{Receiver: "r", Kind: alert.Ended})] = true
	other = a
	other.Seq = 2
	keys[idempotencyKey(other, n)] = true
	other = a
	other.ID += "1"
	keys[idempotencyKey(other, n)] = true
	assert.Len(t, keys, 5)
}

func TestRolledBackPutLeavesNothing(t *testing.T) {
	db := newDB(t)
	d, err := New(sample("o", 1), alert.Notice{Receiver: "r", Kind: alert.Fired}, "", starts)
	require.NoError(t, err)
	undo := errors.New("undo")
	require.ErrorIs(t, db.Update(func(tx *bbolt.Tx) error {
		require.NoError(t, Put(tx, d))
		return undo
	}), undo)
	assert.Empty(t, list(t, db))
}

func TestListIsNewestFirstAndLimited(t *testing.T) {
	db := newDB(t)
	enqueue(t, db, "a", "o", alert.Fired, alert.Escalated)
	enqueue(t, db, "b", "o", alert.Fired)
	require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
		d, ok, err := nextDue(tx, "a", later)
		require.True(t, ok)
		d.State = Delivered
		require.NoError(t, finish(tx, d))
		assert.Equal(t, 2, CountPending(tx))
		return err
	}))
	require.NoError(t, db.View(func(tx *bbolt.Tx) error {
		all, err := List(tx, 2)
		require.Len(t, all, 2)
		assert.EqualValues(t, 3, all[0].ID)
		assert.EqualValues(t, 2, all[1].ID)
		return err
	}))
	assert.Len(t, list(t, db), 3)
}

// A receiver whose name begins with another's gets only its own deliveries.
func TestReceiversArePrefixFree(t *testing.T) {
	db := newDB(t)
	enqueue(t, db, "on", "o", alert.Fired)
	enqueue(t, db, "oncall", "o", alert.Fired)
	require.NoError(t, db.View(func(tx *bbolt.Tx) error {
		d, ok, err := nextDue(tx, "on", later)
		assert.True(t, ok)
		assert.Equal(t, "on", d.Receiver)
		_, ok, _ = nextDue(tx, "onc", later)
		assert.False(t, ok)
		return err
	}))
}

func TestAbandonAndPrune(t *testing.T) {
	db := newDB(t)
	enqueue(t, db, "old", "o", alert.Fired, alert.Ended)
	enqueue(t, db, "new", "o", alert.Fired)
	now := time.Now()
	require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
		n, err := Abandon(tx, []string{"new"}, now)
		assert.Equal(t, 2, n)
		return err
	}))
	all := list(t, db)
	require.Len(t, all, 3)
	assert.Equal(t, Pending, all[0].State)
	assert.Equal(t, Dead, all[1].State)
	assert.Equal(t, "the receiver is no longer configured", all[2].LastError)

	prune := func(at time.Time) {
		require.NoError(t, db.Update(func(tx *bbolt.Tx) error { return Prune(tx, at) }))
	}
	prune(now.Add(keepDone - time.Second))
	assert.Len(t, list(t, db), 3)
	prune(now.Add(keepDone))
	all = list(t, db)
	require.Len(t, all, 1, "what is pending stays, however old")
	assert.Equal(t, "new", all[0].Receiver)
}

// TestDamagedDeliveriesAreErrors checks that each reader of the outbox names the record that it cannot read.
func TestDamagedDeliveriesAreErrors(t *testing.T) {
	for _, bucket := range Buckets {
		t.Run(bucket, func(t *testing.T) {
			db := newDB(t)
			require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
				k := pendingKey("r", 7)
				if bucket == doneBucket {
					k = doneKey(7)
				}
				return tx.Bucket([]byte(bucket)).Put(k, []byte("?"))
			}))
			read := map[string]func(tx *bbolt.Tx) error{
				"list": func(tx *bbolt.Tx) error { _, err := List(tx, 10); return err },
			}
			if bucket == pendingBucket {
				read["next"] = func(tx *bbolt.Tx) error { _, _, err := nextDue(tx, "r", later); return err }
				read["abandon"] = func(tx *bbolt.Tx) error { _, err := Abandon(tx, nil, starts); return err }
			} else {
				read["prune"] = func(tx *bbolt.Tx) error { return Prune(tx, starts) }
			}
			for name, f := range read {
				require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
					err := f(tx)
					require.ErrorIs(t, err, state.ErrCorrupt, name)
					require.ErrorContains(t, err, "delivery ", name)
					return nil
				}))
			}
		})
	}
}

// TestNextIsTheOldestOfEachObjective checks the order of deliveries: an objective's own order first, then time.
func TestNextIsTheOldestOfEachObjective(t *testing.T) {
	db := newDB(t)
	put := func(objective string, due time.Duration) {
		require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
			return Put(tx, Delivery{Receiver: "r", Objective: objective, State: Pending, NextAttemptAt: starts.Add(due)})
		}))
	}
	put("a", 3*time.Minute)
	put("a", time.Minute) // waits for the earlier one
	put("b", 2*time.Minute)
	put("c", 2*time.Minute)
	var order []uint64
	require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
		for {
			d, ok, err := nextDue(tx, "r", later)
			require.NoError(t, err)
			if !ok {
				assert.Zero(t, d)
				return nil
			}
			order = append(order, d.ID)
			require.NoError(t, finish(tx, d))
		}
	}))
	assert.Equal(t, []uint64{3, 4, 1, 2}, order)
}

// TestListLimits checks that List keeps its limit, whatever is pending and done.
func TestListLimits(t *testing.T) {
	db := newDB(t)
	enqueue(t, db, "a", "o", alert.Fired, alert.Escalated, alert.Ended)
	require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
		d, _, err := nextDue(tx, "a", later)
		require.NoError(t, err)
		return finish(tx, d)
	}))
	enqueue(t, db, "b", "o", alert.Fired)
	for limit, want := range map[int][]uint64{0: {}, 1: {4}, 3: {4, 3, 2}, 4: {4, 3, 2, 1}, 5: {4, 3, 2, 1}} {
		require.NoError(t, db.View(func(tx *bbolt.Tx) error {
			all, err := List(tx, limit)
			ids := []uint64{}
			for _, d := range all {
				ids = append(ids, d.ID)
			}
			assert.Equal(t, want, ids, limit)
			return err
		}))
	}
}
