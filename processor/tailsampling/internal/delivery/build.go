package delivery

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/slowburn/slowburn/internal/wire"
)

// build makes an OTLP request of the traces, one after the other. It also returns how many spans have fields that
// will not survive decoding.
//
// Spans of a trace that do not differ in a byte are one: a request that failed when a part of it was stored already, or
// whose answer was lost, is sent again.
func (b *batch) build() (request []byte, unknown int, err error) {
	b.builder.Reset()
	b.repeats = 0
	for i := range b.traces {
		t := &b.traces[i]
		spans := b.spansOf(i)
		for j := range spans {
			parsed, err := wire.ParseSpan(spans[j].body.Of(b.arena))
			if err != nil {
				return nil, 0, err
			}
			spans[j].start, spans[j].id = parsed.Start, parsed.ID
			if parsed.Unknown {
				unknown++
			}
		}
		slices.SortFunc(spans, b.compare)
		spans = b.unique(spans)
		b.arrange(t, spans)
		b.emit(spans)
	}
	return b.builder.Bytes(), unknown, nil
}

func (b *batch) spansOf(trace int) []span {
	if trace+1 < len(b.traces) {
		return b.spans[b.traces[trace].first:b.traces[trace+1].first]
	}
	return b.spans[b.traces[trace].first:]
}

// compare orders spans by what they are alone, so that neither the order in which they came nor their batching matters.
func (b *batch) compare(x, y span) int {
	if c := cmp.Or(cmp.Compare(x.start, y.start), bytes.Compare(x.id[:], y.id[:])); c != 0 {
		return c
	}
	data := func(r wire.Range) []byte { return r.Of(b.arena) }
	ox, oy := &b.origins[x.origin], &b.origins[y.origin]
	return cmp.Or(
		bytes.Compare(data(x.body), data(y.body)),
		bytes.Compare(data(ox.resource), data(oy.resource)),
		bytes.Compare(data(ox.scope), data(oy.scope)))
}

// unique returns the first of each of the sorted spans that are the same, and leaves the others behind them.
func (b *batch) unique(spans []span) []span {
	n := 0
	for i := range spans {
		if i > 0 && b.compare(spans[n-1], spans[i]) == 0 {
			b.repeats++
			continue
		}
		spans[n], spans[i] = spans[i], spans[n]
		n++
	}
	return spans[:n]
}

// arrange gives each span its place: what has the same resource goes together, and within that what has the same scope.
func (b *batch) arrange(t *outgoing, spans []span) {
	clear(b.resources)
	clear(b.scopes)
	clear(b.places)
	for i := range spans {
		at, known := b.places[spans[i].origin]
		if !known {
			at = b.placeOf(&b.origins[spans[i].origin])
			b.places[spans[i].origin] = at
		}
		spans[i].place = at
	}
	t.resources = len(b.resources)
	slices.SortStableFunc(spans, func(x, y span) int {
		return cmp.Or(cmp.Compare(x.place.resource, y.place.resource), cmp.Compare(x.place.scope, y.place.scope))
	})
}

func (b *batch) placeOf(o *origin) (p place) {
	header := o.resource.Of(b.arena)
	resource, known := b.resources[string(header)]
	if !known {
		resource = int32(len(b.resources))
		b.resources[string(header)] = resource
	}
	key := scopeKey{resource: resource, header: string(o.scope.Of(b.arena))}
	scope, known := b.scopes[key]
	if !known {
		scope = int32(len(b.scopes))
		b.scopes[key] = scope
	}
	return place{resource: resource, scope: scope}
}

// emit writes arranged spans.
func (b *batch) emit(spans []span) {
	last := place{-1, -1}
	for i := range spans {
		s := &spans[i]
		if s.place.resource != last.resource {
			b.builder.Resource(b.origins[s.origin].resource.Of(b.arena))
		}
		if s.place != last {
			b.builder.Scope(b.origins[s.origin].scope.Of(b.arena))
		}
		last = s.place
		b.builder.Span(s.body.Of(b.arena))
	}
}
