package notify

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/slowburn/slowburn/slo/alert"
)

func TestRetriesUntilDelivered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := newDB(t)
		f := &fake{statuses: []int{500, 0, 429, 408, 425, 503, 302, 500, 500, 500, 500, 500, 500}}
		tries := len(f.statuses) + 1
		s := newSender(db, f.receiver("oncall"))
		var delivered, retried atomic.Int32
		s.Attempted = func(_ context.Context, _ string, o Outcome) {
			switch o {
			case OutcomeDelivered:
				delivered.Add(1)
			case OutcomeRetried:
				retried.Add(1)
			}
		}
		enqueue(t, db, "oncall", "o", alert.Fired)
		s.Start()
		time.Sleep(2 * time.Hour)
		s.Shutdown()

		calls := f.got()
		require.Len(t, calls, tries)
		full := firstBackoff
		for i := 1; i < len(calls); i++ {
			assert.Equal(t, calls[0].key, calls[i].key)
			assert.Equal(t, calls[0].msg, calls[i].msg)
			wait := calls[i].at.Sub(calls[i-1].at)
			assert.GreaterOrEqual(t, wait, full/2, "attempt %d", i)
			assert.LessOrEqual(t, wait, full, "attempt %d", i)
			full = min(2*full, maxBackoff)
		}
		d := list(t, db)[0]
		assert.Equal(t, Delivered, d.State)
		assert.Equal(t, tries, d.Attempts)
		assert.Empty(t, d.LastError)
		assert.Equal(t, calls[tries-1].at, d.DoneAt.Local())
		assert.EqualValues(t, 1, delivered.Load())
		assert.EqualValues(t, tries-1, retried.Load())
		assert.Empty(t, s.Failing())
	})
}

func TestRetryAfterIsHonoured(t *testing.T) {
	for value, want := range map[string]time.Duration{
		"120":                           2 * time.Minute,
		"999999":                        maxRetryAfter,
		"-5":                            0,
		"nothing":                       0,
		"Sat, 01 Jan 2000 00:10:00 GMT": 10 * time.Minute, // synctest's clock begins at 2000-01-01
	} {
		synctest.Test(t, func(t *testing.T) {
			db := newDB(t)
			f := &fake{statuses: []int{429}, header: map[string][]string{"Retry-After": {value}}}
			s := newSender(db, f.receiver("r"))
			enqueue(t, db, "r", "o", alert.Fired)
			s.Start()
			time.Sleep(2 * time.Hour)
			s.Shutdown()
			calls := f.got()
			require.Len(t, calls, 2, value)
			wait := calls[1].at.Sub(calls[0].at)
			if want > 0 {
				assert.Equal(t, want, wait, value)
			} else {
				assert.LessOrEqual(t, wait, firstBackoff, value)
			}
		})
	}
}

// With any failure of the receiver, a resolution never arrives before its firing, and all notifications arrive.
func TestOrderIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := newDB(t)
		f := &fake{statuses: []int{500, 500, 500, 500, 500, 500, 500}}
		s := newSender(db, f.receiver("r"))
		s.Start()
		enqueue(t, db, "r", "a", alert.Fired, alert.Escalated, alert.Ended)
		s.Wake()
		time.Sleep(time.Second)
		enqueue(t, db, "r", "b", alert.Fired, alert.Ended)
		s.Wake()
		time.Sleep(time.Hour)
		s.Shutdown()

		arrived := map[string][]string{}
		for _, c := range f.got()[7:] {
			arrived[c.msg.GroupLabels["objective"]] = append(arrived[c.msg.GroupLabels["objective"]], c.msg.Status)
		}
		assert.Equal(t, map[string][]string{"a": {"firing", "firing", "resolved"}, "b": {"firing", "resolved"}}, arrived)
	})
}

func TestDeadLetters(t *testing.T) {
	for _, status := range []int{400, 405, 410, 413, 422} {
		synctest.Test(t, func(t *testing.T) {
			db := newDB(t)
			f := &fake{statuses: []int{status}}
			s := newSender(db, f.receiver("r"))
			enqueue(t, db, "r", "o", alert.Fired, alert.Ended)
			s.Start()
			time.Sleep(time.Minute)
			failing := s.Failing()
			s.Shutdown()
			all := list(t, db)
			require.Len(t, all, 2)
			assert.Equal(t, Delivered, all[0].State, "what comes after it goes on")
			assert.Equal(t, Dead, all[1].State)
			assert.Equal(t, 1, all[1].Attempts)
			assert.Contains(t, all[1].LastError, "r answered ")
			assert.Contains(t, all[1].LastError, "because")
			assert.Empty(t, failing, "the one after it was taken")
		})
	}
}

// While a receiver is being deployed, or its credentials rotated, a proxy may answer in its place. That loses no alert. After an
// hour with only such answers the configuration counts as wrong.
func TestAmbiguousAnswers(t *testing.T) {
	for _, status := range []int{401, 403, 404, 407} {
		synctest.Test(t, func(t *testing.T) {
			db := newDB(t)
			f := &fake{statuses: []int{status, status, 503, status, status}}
			s := newSender(db, f.receiver("r"))
			enqueue(t, db, "r", "o", alert.Fired)
			s.Start()
			time.Sleep(2 * time.Minute)
			assert.Equal(t, Delivered, list(t, db)[0].State)
			assert.Equal(t, 6, list(t, db)[0].Attempts)

			f.answer(append(slices.Repeat([]int{status}, 10), slices.Repeat([]int{502}, 20)...)...)
			f.answer(slices.Repeat([]int{status}, 100)...)
			enqueue(t, db, "r", "o", alert.Fired)
			s.Wake()
			time.Sleep(20 * time.Minute)
			assert.Equal(t, Pending, list(t, db)[0].State)
			assert.Contains(t, s.Failing()["r"], "r answered ")
			time.Sleep(3 * time.Hour)
			s.Shutdown()
			d := list(t, db)[0]
			assert.Equal(t, Dead, d.State)
			assert.GreaterOrEqual(t, d.DoneAt.Sub(d.RefusedAt), maxDoubt)
			assert.Less(t, d.DoneAt.Sub(d.RefusedAt), maxDoubt+maxBackoff)
			assert.Greater(t, d.RefusedAt.Sub(d.CreatedAt), maxDoubt, "what came before other answers is not held against it")
		})
	}
}

// A webhook's URL is often a secret, and errors are shown to users: errors do not contain the URL.
func TestErrorsOmitTheURL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := newDB(t)
		r := (&fake{statuses: []int{0}}).receiver("r")
		r.URL += "/T0K3N"
		s := newSender(db, r)
		enqueue(t, db, "r", "o", alert.Fired)
		s.Start()
		synctest.Wait()
		assert.Equal(t, "r cannot be reached: connection refused", s.Failing()["r"])
		assert.Equal(t, s.Failing()["r"], list(t, db)[0].LastError)
		s.Shutdown()
	})
}

// A receiver that is down, or hangs, delays no other.
func TestReceiversAreIndependent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := newDB(t)
		hanging, well := &fake{hang: true}, &fake{}
		s := newSender(db, hanging.receiver("hanging"), well.receiver("well"))
		for _, o := range []string{"a", "b", "c"} {
			enqueue(t, db, "hanging", o, alert.Fired)
			enqueue(t, db, "well", o, alert.Fired)
		}
		s.Start()
		synctest.Wait()
		assert.Len(t, well.got(), 3, "at once")
		time.Sleep(time.Minute)
		assert.Contains(t, s.Failing()["hanging"], "deadline exceeded")
		s.Shutdown()
	})
}

// An objective whose alerts the receiver refuses does not delay the others.
func TestObjectivesAreIndependent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := newDB(t)
		f := &fake{statuses: []int{500}}
		s := newSender(db, f.receiver("r"))
		enqueue(t, db, "r", "a", alert.Fired)
		enqueue(t, db, "r", "b", alert.Fired)
		s.Start()
		synctest.Wait()
		calls := f.got()
		require.Len(t, calls, 2)
		assert.Equal(t, "b", calls[1].msg.GroupLabels["objective"])
		s.Shutdown()
	})
}

// When the process dies at any moment, each delivery arrives at least once, in order, under one key.
func TestRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "slo.db")
		f := &fake{statuses: []int{500, 0, 503, 200, 500, 500, 429, 200, 0, 0, 0, 200}}
		db := openDB(t, path)
		enqueue(t, db, "r", "o", alert.Fired, alert.Escalated, alert.Ended)
		want := list(t, db)
		for range 100 {
			s := newSender(db, f.receiver("r"))
			s.Start()
			time.Sleep(3 * time.Second)
			s.Shutdown()
			require.NoError(t, db.Close())
			db = openDB(t, path)
		}
		defer func() { require.NoError(t, db.Close()) }()
		var keys []string
		for _, c := range f.got() {
			keys = append(keys, c.key)
		}
		require.Len(t, keys, 12)
		assert.Equal(t, []string{want[2].Key, want[1].Key, want[0].Key}, slices.Compact(keys))
		for _, d := range list(t, db) {
			assert.Equal(t, Delivered, d.State)
		}
	})
}

// A request in flight at shutdown is cancelled and stays pending; its attempt does not count.
func TestShutdownIsPrompt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := newDB(t)
		s := newSender(db, (&fake{hang: true}).receiver("r"))
		enqueue(t, db, "r", "o", alert.Fired)
		s.Start()
		synctest.Wait()
		before := time.Now()
		s.Shutdown()
		assert.Equal(t, before, time.Now())
		require.NoError(t, db.View(func(tx *bbolt.Tx) error {
			assert.Equal(t, 1, CountPending(tx), "it leaves the outbox when it was answered, not before")
			return nil
		}))
		assert.Equal(t, Pending, list(t, db)[0].State)
		assert.Zero(t, list(t, db)[0].Attempts)
	})
}

// A clock that is set back delays neither a first attempt nor a retry, by however much it is set back and whichever of several
// deliveries is due first.
func TestClockSetBack(t *testing.T) {
	for _, by := range []time.Duration{10 * time.Minute, time.Hour, 24 * time.Hour} {
		t.Run(by.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				db := newDB(t)
				f := &fake{}
				fast := time.Now().Add(by)
				created, retried, present := newDelivery(t, sample("created", 1), fast), newDelivery(t, sample("retried", 1), fast.Add(-time.Minute)),
					newDelivery(t, sample("present", 1), time.Now())
				retried.Attempts, retried.SetAt, retried.NextAttemptAt = 1, fast, fast.Add(5*time.Minute)
				present.Attempts, present.NextAttemptAt = 1, time.Now().Add(5*time.Minute)
				require.NoError(t, db.Update(func(tx *bbolt.Tx) error { return errors.Join(Put(tx, present), Put(tx, created), Put(tx, retried)) }))
				s := newSender(db, f.receiver("r"))
				s.Start()
				defer s.Shutdown()
				synctest.Wait()
				assert.Len(t, f.got(), 2)
				time.Sleep(5*time.Minute - time.Second)
				synctest.Wait()
				assert.Len(t, f.got(), 2, "it waits as it did before")
				time.Sleep(time.Second)
				synctest.Wait()
				assert.Len(t, f.got(), 3)
			})
		})
	}
}

// newDelivery returns the delivery of an alert that began to fire.
func newDelivery(t *testing.T, a alert.Alert, now time.Time) Delivery {
	t.Helper()
	d, err := New(a, alert.Notice{Receiver: "r", Kind: alert.Fired}, "", now)
	require.NoError(t, err)
	return d
}

// A file that cannot be written does not make the sender deliver in a busy loop.
func TestUnwritableOutboxBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "slo.db")
		db := openDB(t, path)
		f := &fake{}
		s := newSender(db, f.receiver("r"))
		require.NoError(t, db.Close())
		s.Start()
		time.Sleep(10 * time.Minute)
		s.Shutdown()
		assert.Empty(t, f.got())
	})
}
