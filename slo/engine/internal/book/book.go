package book

import (
	"encoding/binary"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"github.com/slowburn/slowburn/internal/otherformat"
	"github.com/slowburn/slowburn/internal/state"
	"github.com/slowburn/slowburn/slo/alert"
	"github.com/slowburn/slowburn/slo/engine/internal/readback"
	"github.com/slowburn/slowburn/slo/ledger"
	"github.com/slowburn/slowburn/slo/ledger/parts"
	"github.com/slowburn/slowburn/slo/notify"
)

const (
	alertsBucket   = "alerts"         // objective → alert.Alert
	episodesBucket = "alert_episodes" // Unix seconds of the end, 8 bytes, ‖ ID → alert.Alert that resolved
	engineBucket   = "engine"         // span_watermark → minute; instance → name

	// episodesKept is how long a resolved alert is listed.
	episodesKept = 7 * 24 * time.Hour
)

var (
	spanWatermarkKey = []byte("span_watermark")
	instanceKey      = []byte("instance")
)

// FormatVersion is the format version of files that this package writes, the only one that it reads.
const FormatVersion otherformat.Version = 1

// Open opens the file. It moves a file of another format version aside, calls moved, and makes a new one.
func Open(path string, moved func(otherformat.Moved)) (*state.DB, error) {
	buckets := []string{alertsBucket, episodesBucket, engineBucket, cursorsBucket, readback.Bucket}
	buckets = append(buckets, ledger.Buckets...)
	buckets = append(buckets, parts.Buckets...)
	buckets = append(buckets, notify.Buckets...)
	return state.Open(path, state.Options{Version: FormatVersion, Buckets: buckets, Moved: moved})
}

// SpanWatermark returns the first minute whose spans are not counted yet, and false in a new file.
func SpanWatermark(tx *bbolt.Tx) (ledger.Minute, bool, error) {
	return state.Get[ledger.Minute](tx.Bucket([]byte(engineBucket)), spanWatermarkKey)
}

// PutSpanWatermark stores the first minute whose spans are not counted yet.
func PutSpanWatermark(tx *bbolt.Tx, m ledger.Minute) error {
	return state.Put(tx.Bucket([]byte(engineBucket)), spanWatermarkKey, m)
}

// Instance returns the name of the file's ledger. A file without one gets the given name.
func Instance(tx *bbolt.Tx, name string) (string, error) {
	b := tx.Bucket([]byte(engineBucket))
	if stored, ok, err := state.Get[string](b, instanceKey); ok || err != nil {
		return stored, err
	}
	return name, state.Put(b, instanceKey, name)
}

// Alerts returns the stored alerts by objective. A record under the name of another objective is state.ErrCorrupt.
func Alerts(tx *bbolt.Tx) (map[string]alert.Alert, error) {
	alerts := map[string]alert.Alert{}
	err := tx.Bucket([]byte(alertsBucket)).ForEach(func(k, v []byte) error {
		a, err := state.Decode[alert.Alert](v)
		if err == nil && a.Objective != string(k) {
			err = fmt.Errorf("%w: it holds the alert of %q", state.ErrCorrupt, a.Objective)
		}
		if err != nil {
			return fmt.Errorf("the alert of %q: %w", k, err)
		}
		alerts[string(k)] = a
		return nil
	})
	return alerts, err
}

// PutAlert stores an alert under the name of its objective.
func PutAlert(tx *bbolt.Tx, a alert.Alert) error {
	return state.Put(tx.Bucket([]byte(alertsBucket)), []byte(a.Objective), a)
}

// DeleteAlert deletes the alert of an objective.
func DeleteAlert(tx *bbolt.Tx, objective string) error {
	return tx.Bucket([]byte(alertsBucket)).Delete([]byte(objective))
}

// Archive stores a resolved alert as an episode.
func Archive(tx *bbolt.Tx, a alert.Alert) error {
	key := binary.BigEndian.AppendUint64(nil, uint64(a.EndsAt.Unix()))
	return state.Put(tx.Bucket([]byte(episodesBucket)), append(key, a.ID...), a)
}

// Episodes returns the resolved alerts, latest end first.
func Episodes(tx *bbolt.Tx) ([]alert.Alert, error) {
	var list []alert.Alert
	c := tx.Bucket([]byte(episodesBucket)).Cursor()
	for k, v := c.Last(); k != nil; k, v = c.Prev() {
		a, err := state.Decode[alert.Alert](v)
		if err != nil {
			return nil, fmt.Errorf("the episode %x: %w", k, err)
		}
		list = append(list, a)
	}
	return list, nil
}

// PruneEpisodes deletes alerts that resolved more than episodesKept ago.
func PruneEpisodes(tx *bbolt.Tx, now time.Time) error {
	horizon := uint64(now.Add(-episodesKept).Unix())
	c := tx.Bucket([]byte(episodesBucket)).Cursor()
	for k, _ := c.First(); k != nil; k, _ = c.First() {
		if len(k) < 8 {
			return fmt.Errorf("%w: the episode %x has no time", state.ErrCorrupt, k)
		}
		if binary.BigEndian.Uint64(k) >= horizon {
			return nil
		}
		if err := c.Delete(); err != nil {
			return err
		}
	}
	return nil
}
