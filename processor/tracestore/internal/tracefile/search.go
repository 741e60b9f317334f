package tracefile

import (
	"context"

	"go.etcd.io/bbolt"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/trace"
	"github.com/slowburn/slowburn/processor/tracestore/internal/digest"
)

// Search returns the traces that match, newest first. It reads a bounded number of index entries: if these do not
// suffice, the result is short, and its cursor continues there. Damaged records are skipped, and counted.
func (f *File) Search(ctx context.Context, q Query) (result Result, corrupt int, err error) {
	result.Traces = []digest.Summary{}
	at, ok, err := q.first()
	if err != nil || !ok {
		return result, 0, err
	}
	err = f.view(func(tx *bbolt.Tx) (err error) {
		corrupt, err = f.search(ctx, tx, q, at, &result)
		return err
	})
	return result, corrupt, err
}

func (f *File) search(ctx context.Context, tx *bbolt.Tx, q Query, at position, result *Result) (corrupt int, err error) {
	r := newReading(tx)
	defer func() { corrupt += r.damaged }()
	walk := intersection{streams: q.streams(&r), steps: &r.steps, first: at}
	for {
		found, ok, done := walk.next(ctx, at)
		if done || ok && found.start() < q.earliest() {
			return corrupt, nil
		}
		if !ok {
			if err := ctx.Err(); err != nil {
				return corrupt, err
			}
			result.NextCursor = encodeCursor(found)
			return corrupt, nil
		}
		if len(result.Traces) == q.limit() {
			result.NextCursor = encodeCursor(found)
			return corrupt, nil
		}
		h, matches, err := r.match(&q, found)
		switch {
		case err != nil:
			corrupt++
		case matches:
			result.Traces = append(result.Traces, h.Meta.Summary)
		}
		if at, ok = found.before(); !ok {
			return corrupt, nil
		}
	}
}

// match reads the header of a trace, and its spans where the header does not tell whether they match. It returns false if the
// trace does not match, is not here or, as after damage, is not the one in the index.
func (r *reading) match(q *Query, p position) (digest.Header, bool, error) {
	at, here := r.find(p.id())
	if !here {
		return digest.Header{}, false, nil
	}
	h, err := r.header(at)
	if err != nil || h.Start != p.start() {
		return h, false, err
	}
	verdict := q.verdict(&h)
	if verdict != digest.Unknown {
		return h, verdict == digest.Matches, nil
	}
	stored := r.trace(at)
	_, spans, err := stored.decode()
	if err != nil {
		return h, false, err
	}
	r.steps += len(spans) / stepBytes
	conditions, _ := q.spans()
	matches := false
	err = assembled(spans, func(_ *wire.Kept, t *trace.Trace) { matches = conditions.Trace(t) })
	return h, matches, err
}

// stepBytes is the size of spans that take about as long to read as an index entry.
const stepBytes = 256

// streams returns the streams of the query's terms. A trace must be in all of them.
func (q Query) streams(r *reading) []stream {
	index := r.tx.Bucket(bucketIndex)
	anyOf := func(terms ...uint64) stream { return &posting{r: r, cursor: index.Cursor(), terms: terms} }
	var all []stream
	switch {
	case q.Service != "" && q.Operation != "":
		all = append(all, anyOf(digest.TermOperation(q.Service, q.Operation)))
	case q.Service != "":
		all = append(all, anyOf(digest.TermService(q.Service)))
	case q.Operation != "":
		all = append(all, anyOf(operationOfAny(r.tx, q.Operation)...))
	}
	if spans, ok := q.spans(); ok {
		for _, terms := range spans.Streams() {
			all = append(all, anyOf(terms...))
		}
	} else {
		if q.Error {
			all = append(all, anyOf(digest.TermError()))
		}
		if q.MinDuration > 0 || q.MaxDuration > 0 {
			all = append(all, anyOf(digest.TermsOfDurations(q.durations())...))
		}
	}
	if q.Policy != "" {
		all = append(all, anyOf(digest.TermPolicy(q.Policy)))
	}
	if !q.LinksTo.IsEmpty() {
		all = append(all, anyOf(digest.TermLink(q.LinksTo)))
	}
	if len(all) == 0 {
		all = append(all, anyOf(digest.TermAll()))
	}
	return all
}

// operationOfAny returns the terms of the operations with this name, of any service.
func operationOfAny(tx *bbolt.Tx, name string) (terms []uint64) {
	c := tx.Bucket(bucketOperations).Cursor()
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		if op, ok := operationOf(k); ok && op.Name == name {
			terms = append(terms, digest.TermOperation(op.Service, name))
		}
	}
	return terms
}
