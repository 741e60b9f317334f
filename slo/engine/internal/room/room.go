// Package room keeps the file slo.db within its limit: it measures how much of the file is in use, and gives up the oldest data where that
// is too much. A Report says what it found and gave up; it is replaced as a whole, so readers need no lock.
//
// What is given up first are parts by minute, which become parts by hour; then parts by hour; then minutes of the ledger that no window
// reaches. Minutes within the longest window are never given up. bbolt's files do not shrink: freed pages are used again, so the file stays
// about as large as its limit.
package room

import (
	"fmt"
	"slices"

	"go.etcd.io/bbolt"

	"github.com/slowburn/slowburn/internal/state"
	"github.com/slowburn/slowburn/internal/units"
	"github.com/slowburn/slowburn/slo/ledger"
	"github.com/slowburn/slowburn/slo/ledger/parts"
)

const (
	// atOnce bounds the bytes that one transaction gives up.
	atOnce = 32 << 20
	// partsLeft is how many minutes keep their parts in any case: late events are still booked there.
	partsLeft = 2 * 60
)

// Kind is what was given up.
type Kind string

// The kinds, the first to give up first.
const (
	MinuteParts Kind = "minute_parts"
	HourParts   Kind = "hour_parts"
	Minutes     Kind = "minutes"
)

// Report says how full slo.db is. The zero value is of a file that was not looked at.
type Report struct {
	Used, Limit int64
	// Given is the last of the kinds that was given up, empty if none was, or the file has had room since.
	Given Kind
	// Short says that nothing is left to give up.
	Short bool
}

// kinds lists the kinds, the first to give up first.
var kinds = []Kind{MinuteParts, HourParts, Minutes}

// Given counts the bytes that were given up, by kind.
type Given map[Kind]int64

// Look measures the file, in bytes of the pages that are in use.
func Look(db *state.DB, limit units.Size, last Report) (Report, error) {
	r := last
	r.Limit = int64(limit)
	err := db.View(func(tx *bbolt.Tx) error {
		r.Used = tx.Size()
		return nil
	})
	stats := db.Stats()
	r.Used -= int64(stats.FreePageN+stats.PendingPageN) * int64(db.PageSize())
	if r.Used < r.Limit-r.Limit/4 {
		r.Given = ""
	}
	if r.Used <= r.Limit {
		r.Short = false
	}
	return r, err
}

// Over returns how many bytes to give up, 0 if the file is within its limit. Then there is room for a while.
func (r Report) Over() int64 {
	if r.Limit == 0 || r.Used <= r.Limit {
		return 0
	}
	return min(r.Used-r.Limit+r.Limit/16, atOnce)
}

// Make gives up so many bytes. end is the first minute that is not evaluated, window the longest window of an objective.
func (r *Report) Make(tx *bbolt.Tx, bytes int64, end, window ledger.Minute) (Given, error) {
	given := Given{}
	s, l := parts.New(tx), ledger.New(tx)
	give := map[Kind]func(bytes int64) (int64, error){
		MinuteParts: func(n int64) (int64, error) { return s.GiveUpMinutes(n, end-partsLeft) },
		HourParts:   func(n int64) (int64, error) { return s.GiveUpHours(n, end-partsLeft) },
		Minutes:     func(n int64) (int64, error) { return l.GiveUp(n, end-window) },
	}
	for i, kind := range kinds {
		n, err := give[kind](bytes)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			given[kind] = n
			if i > slices.Index(kinds, r.Given) {
				r.Given = kind
			}
		}
		bytes -= n
		if bytes <= 0 {
			break
		}
	}
	r.Short = len(given) == 0
	return given, nil
}

// Problem returns a sentence for people if the limit costs more than parts by minute.
func (r Report) Problem() string {
	advice := fmt.Sprintf("slo.db uses %s of max_size %s", units.Size(r.Used/(1<<20)*(1<<20)), units.Size(r.Limit))
	switch {
	case r.Short:
		return advice + ", and only data within the objectives' windows are left: raise slo::max_size, or have fewer objectives."
	case r.Given == HourParts:
		return advice + ": the oldest breakdowns of objectives are given up; raise slo::max_size to keep them."
	case r.Given == Minutes:
		return advice + ": the oldest minutes of objectives, before their windows, are given up, and charts of the budget reach back less far; raise slo::max_size to keep them."
	default:
		return ""
	}
}
