package readback

import (
	"go.etcd.io/bbolt"

	"github.com/slowburn/slowburn/internal/state"
	"github.com/slowburn/slowburn/slo/ledger"
)

// Bucket is the bucket of a file's tasks: objective → Task.
const Bucket = "read_backs"

// Task is the reading back of one objective. The zero value is none.
type Task struct {
	// From is the first minute to read, Until the first that was counted when it came.
	From  ledger.Minute `json:"from"`
	Until ledger.Minute `json:"until"`
	// Done says that the ledger has what could be read, and Since is the first minute of it: Until if there was nothing.
	Done  bool          `json:"done,omitempty"`
	Since ledger.Minute `json:"since,omitempty"`
	// Refused says why no more could be read; empty if the database answered all queries.
	Refused string `json:"refused,omitempty"`
}

// Pending reports whether there is something to read.
func (t Task) Pending() bool { return t.Until > 0 && !t.Done }

// Put stores the task of an objective.
func Put(tx *bbolt.Tx, objective string, t Task) error {
	return state.Put(tx.Bucket([]byte(Bucket)), []byte(objective), t)
}

// Find returns the task of an objective, the zero value if there is none.
func Find(tx *bbolt.Tx, objective string) (Task, error) {
	t, _, err := state.Get[Task](tx.Bucket([]byte(Bucket)), []byte(objective))
	return t, err
}

// Keep deletes the tasks of objectives that are not among those to keep.
func Keep(tx *bbolt.Tx, keep func(objective string) bool) error {
	b := tx.Bucket([]byte(Bucket))
	var gone [][]byte
	err := b.ForEach(func(k, _ []byte) error {
		if !keep(string(k)) {
			gone = append(gone, k)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, k := range gone {
		if err := b.Delete(k); err != nil {
			return err
		}
	}
	return nil
}
