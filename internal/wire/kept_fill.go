package wire

import (
	"bytes"
	"cmp"
	"slices"
)

// A Kept is filled trace by trace: Begin, then AddSpan for each span, then, when all bytes are there, Arrange.

// AddResource returns the number of a resource's header, which is copied if it is new.
func (k *Kept) AddResource(header []byte) int32 {
	n, known := k.headers.number('r', header, len(k.Resources))
	if !known {
		k.Resources = append(k.Resources, copyTo(&k.Bytes, header))
	}
	return n
}

// AddScope returns the number of a scope's header, which is copied if it is new.
func (k *Kept) AddScope(header []byte) int32 {
	n, known := k.headers.number('s', header, len(k.Scopes))
	if !known {
		k.Scopes = append(k.Scopes, copyTo(&k.Bytes, header))
	}
	return n
}

// headerNumbers has the numbers of the headers that were added.
type headerNumbers struct{ known map[headerKey]int32 }

// headerKey tells headers apart by what they are of and their bytes.
type headerKey struct {
	kind   byte
	header string
}

// number returns the number of a header: next, from now on, if it is not known yet.
func (h *headerNumbers) number(kind byte, header []byte, next int) (n int32, known bool) {
	if n, known := h.known[headerKey{kind, string(header)}]; known {
		return n, true
	}
	if h.known == nil {
		h.known = map[headerKey]int32{}
	}
	h.known[headerKey{kind, string(header)}] = int32(next)
	return int32(next), false
}

// Begin begins a trace, whose From and To follow from the spans that are added.
func (k *Kept) Begin(t KeptTrace) {
	t.From, t.To = len(k.Spans), len(k.Spans)
	k.Traces = append(k.Traces, t)
}

// AddSpan copies a span, with the numbers of its resource and scope, to the last trace. The span is not looked at.
func (k *Kept) AddSpan(body []byte, resource, scope int32) {
	k.Spans = append(k.Spans, KeptSpan{Span: Span{Body: copyTo(&k.Bytes, body), Resource: resource, Scope: scope}})
	k.Traces[len(k.Traces)-1].To = len(k.Spans)
}

// Undo takes the last trace out.
func (k *Kept) Undo() {
	last := len(k.Traces) - 1
	k.Spans = k.Spans[:k.Traces[last].From]
	k.Traces = k.Traces[:last]
}

// copyTo appends to all, and returns which part of it that is.
func copyTo(all *[]byte, from []byte) Range {
	off := len(*all)
	*all = append(*all, from...)
	return rangeOf(off, len(*all))
}

// Arrange reads the spans of a trace and brings them into the order that Spans has: it depends on what the spans are, not on
// how they came. Of spans that do not differ in a byte, resource and scope included, the first is left: a request that failed
// when a part of it was stored, or whose answer was lost, is sent again. It returns how many are left out.
func (k *Kept) Arrange(t int) (repeats int, err error) {
	spans := k.Spans[k.Traces[t].From:k.Traces[t].To]
	for i := range spans {
		if err := spans[i].parse(k.Bytes); err != nil {
			return 0, err
		}
	}
	by := order{k.Bytes, k.Resources, k.Scopes}
	slices.SortFunc(spans, by.compare)
	for i := 1; i < len(spans); i++ {
		if by.compare(spans[i-1], spans[i]) == 0 {
			spans[i].Left = true
			repeats++
		}
	}
	place(spans)
	return repeats, nil
}

// order is one of spans: by what they are alone, in whichever request and with whichever number they came.
type order struct {
	all               []byte // which ranges are of
	resources, scopes []Range
}

// compare is 0 only for spans that do not differ in a byte, resource and scope included.
func (o *order) compare(x, y KeptSpan) int {
	if c := cmp.Or(cmp.Compare(x.Start, y.Start), bytes.Compare(x.ID[:], y.ID[:])); c != 0 {
		return c
	}
	if c := bytes.Compare(x.Body.Of(o.all), y.Body.Of(o.all)); c != 0 {
		return c
	}
	if x.Resource != y.Resource {
		return bytes.Compare(o.resources[x.Resource].Of(o.all), o.resources[y.Resource].Of(o.all))
	}
	if x.Scope != y.Scope {
		return bytes.Compare(o.scopes[x.Scope].Of(o.all), o.scopes[y.Scope].Of(o.all))
	}
	return 0
}

// place brings sorted spans of one resource together, and within it those of one scope: in the order of the first of each.
func place(spans []KeptSpan) {
	rank := map[[2]int32]int32{} // by resource and scope; a resource alone has the scope -1
	const alone = -1
	sorted := true
	for i := range spans {
		s := &spans[i]
		for _, key := range [][2]int32{{s.Resource, alone}, {s.Resource, s.Scope}} {
			if _, known := rank[key]; !known {
				rank[key] = int32(len(rank))
			}
		}
		if i > 0 && (s.Resource != spans[i-1].Resource || s.Scope != spans[i-1].Scope) {
			sorted = false
		}
	}
	if sorted {
		return
	}
	slices.SortStableFunc(spans, func(x, y KeptSpan) int {
		return cmp.Or(
			cmp.Compare(rank[[2]int32{x.Resource, alone}], rank[[2]int32{y.Resource, alone}]),
			cmp.Compare(rank[[2]int32{x.Resource, x.Scope}], rank[[2]int32{y.Resource, y.Scope}]))
	})
}

// Fill makes k the traces of a request, in the order of their first spans.
func (k *Kept) Fill(r *Request) (repeats int, err error) {
	k.Reset()
	index := map[TraceID]int{}
	var of [][]int
	for i := range r.Spans {
		id := r.Spans[i].TraceID
		n, known := index[id]
		if !known {
			n = len(of)
			index[id] = n
			of = append(of, nil)
		}
		of[n] = append(of[n], i)
	}
	resources, scopes := make([]int32, len(r.Resources)), make([]int32, len(r.Scopes))
	for i := range r.Resources {
		resources[i] = k.AddResource(AppendResourceHeader(nil, r.Resources[i].Body.Of(r.Bytes)))
	}
	for i := range r.Scopes {
		scopes[i] = k.AddScope(AppendScopeHeader(nil, r.Scopes[i].Body.Of(r.Bytes)))
	}
	for _, spans := range of {
		k.Begin(KeptTrace{ID: r.Spans[spans[0]].TraceID})
		for _, i := range spans {
			s := &r.Spans[i]
			k.AddSpan(s.Body.Of(r.Bytes), resources[s.Resource], scopes[s.Scope])
		}
		n, err := k.Arrange(len(k.Traces) - 1)
		if err != nil {
			return 0, err
		}
		repeats += n
	}
	return repeats, nil
}
