package promapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/timestamp"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"

	"github.com/slowburn/slowburn/internal/gate"
)

// selection is what labels, label values and series are asked of.
type selection struct {
	start, end time.Time
	limit      int // 0 is none
	sets       [][]*labels.Matcher
}

// selection reads the parameters. As in Prometheus, only series names match[] in an error about it.
func (a *API) selection(r *http.Request, named bool) (selection, error) {
	var s selection
	var err error
	if s.limit, err = limitOf(r); err != nil {
		return s, err
	}
	if s.start, s.end, err = period(r); err != nil {
		return s, err
	}
	if s.sets, err = a.matchers(r); err != nil && named {
		return s, invalid("match[]", err)
	} else if err != nil {
		return s, badRequest{err}
	}
	return s, nil
}

func (s selection) open(q storage.Queryable) (storage.Querier, error) {
	return q.Querier(timestamp.FromTime(s.start), timestamp.FromTime(s.end))
}

// lookup asks for names or values of labels.
type lookup func(ctx context.Context, hints *storage.LabelHints, matchers ...*labels.Matcher) ([]string, annotations.Annotations, error)

// strings calls ask for each set of matchers, or once without, and returns all results, sorted and without duplicates. It
// returns errResponse if they are longer than maxBytes.
func (s selection) strings(ctx context.Context, ask lookup, maxBytes int) (answer, error) {
	sets := s.sets
	if len(sets) == 0 {
		sets = [][]*labels.Matcher{nil}
	}
	all := []string{}
	var found answer
	for _, set := range sets {
		some, warnings, err := ask(ctx, &storage.LabelHints{Limit: hint(s.limit)}, set...)
		if err != nil {
			return found, err
		}
		found.warnings.Merge(warnings)
		all = append(all, some...)
		slices.Sort(all)
		all = slices.Compact(all)
	}
	bytes := 0
	for i := range all {
		if bytes += len(all[i]) + stringBytes; bytes > maxBytes {
			return found, errResponse
		}
		all[i] = strings.Clone(all[i]) // they are the querier's until it closes
	}
	if s.limit > 0 && len(all) > s.limit {
		all = all[:s.limit]
		found.warnings.Add(errTruncated)
	}
	found.data = all
	return found, nil
}

func (a *API) labelNames(r *http.Request, turn *gate.Turn) (answer, error) {
	s, err := a.selection(r, false)
	if err != nil {
		return answer{}, err
	}
	if err := a.reserve(r, turn); err != nil {
		return answer{}, err
	}
	q, err := s.open(a.settings.Queryable)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = q.Close() }() // of what was read
	return s.strings(r.Context(), q.LabelNames, a.settings.Limits.Response)
}

func (a *API) labelValues(r *http.Request, turn *gate.Turn) (answer, error) {
	name := r.PathValue("name")
	if strings.HasPrefix(name, "U__") {
		name = model.UnescapeName(name, model.ValueEncodingEscaping)
	}
	if !model.UTF8Validation.IsValidLabelName(name) {
		return answer{}, badRequest{fmt.Errorf("invalid label name: %q", name)}
	}
	s, err := a.selection(r, false)
	if err != nil {
		return answer{}, err
	}
	if err := a.reserve(r, turn); err != nil {
		return answer{}, err
	}
	q, err := s.open(a.settings.Queryable)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = q.Close() }() // of what was read
	return s.strings(r.Context(), func(ctx context.Context, hints *storage.LabelHints, m ...*labels.Matcher) (
		[]string, annotations.Annotations, error,
	) {
		return q.LabelValues(ctx, name, hints, m...)
	}, a.settings.Limits.Response)
}

func (a *API) series(r *http.Request, turn *gate.Turn) (answer, error) {
	if err := r.ParseForm(); err != nil {
		return answer{}, badRequest{fmt.Errorf("error parsing form values: %w", err)}
	}
	if len(r.Form["match[]"]) == 0 {
		return answer{}, badRequest{errors.New("no match[] parameter provided")}
	}
	s, err := a.selection(r, true)
	if err != nil {
		return answer{}, err
	}
	if err := a.reserve(r, turn); err != nil {
		return answer{}, err
	}
	q, err := s.open(a.settings.Queryable)
	if err != nil {
		return answer{}, err
	}
	found, err := s.series(r.Context(), q, a.settings.Limits.Response)
	found.close = func() { _ = q.Close() } // of what was read
	return found, err
}

// stringBytes is what a string takes in memory beside its bytes, about as much as its marks take in JSON.
const stringBytes = 16

// series returns the series of each set, without duplicates, or errResponse if they are longer than maxBytes.
func (s selection) series(ctx context.Context, q storage.Querier, maxBytes int) (answer, error) {
	const between = 1 << 7 // looks at whether the client is still there
	hints := &storage.SelectHints{
		Start: timestamp.FromTime(s.start), End: timestamp.FromTime(s.end),
		Func:  "series", // which needs no samples
		Limit: hint(s.limit),
	}
	several := len(s.sets) > 1 // are merged, which wants them sorted
	sets := make([]storage.SeriesSet, 0, len(s.sets))
	for _, m := range s.sets {
		sets = append(sets, q.Select(ctx, several, hints, m...))
	}
	set := sets[0]
	if several {
		set = storage.NewMergeSeriesSet(sets, 0, storage.ChainedSeriesMerge)
	}
	all := []labels.Labels{}
	bytes := 0
	found := answer{warnings: set.Warnings()}
	for set.Next() {
		if s.limit > 0 && len(all) == s.limit {
			found.warnings.Add(errTruncated)
			break
		}
		ls := set.At().Labels()
		if bytes += int(ls.ByteSize()) + stringBytes; bytes > maxBytes {
			return found, errResponse
		}
		all = append(all, ls)
		if len(all)%between == 0 && ctx.Err() != nil {
			return found, ctx.Err()
		}
	}
	found.data = all
	return found, set.Err()
}
