package wire

import (
	"bytes"
	"cmp"
	"hash/maphash"
	"slices"
)

// A Kept is filled trace by trace: Begin, then AddSpan for each span, then, when all bytes are there, Arrange.

// AddResource returns the number of a resource's header, which is copied if it is new.
func (k *Kept) AddResource(header []byte) int32 {
	return k.headers.add('r', &k.Bytes, &k.Resources, header)
}

// AddScope returns the number of a scope's header, which is copied if it is new.
func (k *Kept) AddScope(header []byte) int32 { return k.headers.add('s', &k.Bytes, &k.Scopes, header) }

// headerNumbers maps added headers to their numbers. It stores hashes, as a header can be long.
type headerNumbers struct{ known map[headerKey]int32 }

// headerKey identifies a header by its kind and its hash.
type headerKey struct {
	kind byte
	hash uint64
}

var headerSeed = maphash.MakeSeed()

// add returns the number of a header in list, whose ranges are of all, adding the header if it is new.
func (h *headerNumbers) add(kind byte, all *[]byte, list *[]Range, header []byte) int32 {
	key := headerKey{kind, maphash.Bytes(headerSeed, header)}
	n, known := h.known[key]
	if known && bytes.Equal((*list)[n].Of(*all), header) {
		return n
	}
	if known { // another header has the same hash
		for n, r := range *list {
			if bytes.Equal(r.Of(*all), header) {
				return int32(n)
			}
		}
	}
	n = int32(len(*list))
	*list = append(*list, copyTo(all, header))
	if h.known == nil {
		h.known = map[headerKey]int32{}
	}
	if !known {
		h.known[key] = n
	}
	return n
}

// Begin begins a trace. From and To are set by the spans that are added.
func (k *Kept) Begin(t KeptTrace) {
	t.From, t.To = len(k.Spans), len(k.Spans)
	k.Traces = append(k.Traces, t)
}

// AddSpan copies a span, with the numbers of its resource and scope, into the last trace. It does not read the
// span.
func (k *Kept) AddSpan(body []byte, resource, scope int32) {
	k.Spans = append(k.Spans, KeptSpan{Span: Span{Body: copyTo(&k.Bytes, body), Resource: resource, Scope: scope}})
	k.Traces[len(k.Traces)-1].To = len(k.Spans)
}

// Undo removes the last trace.
func (k *Kept) Undo() {
	last := len(k.Traces) - 1
	k.Spans = k.Spans[:k.Traces[last].From]
	k.Traces = k.Traces[:last]
}

// copyTo appends from to all, and returns its range.
func copyTo(all *[]byte, from []byte) Range {
	off := len(*all)
	*all = append(*all, from...)
	return rangeOf(off, len(*all))
}

// Arrange reads the spans of a trace and sorts them as Spans are sorted, independently of their order of arrival. Of spans
// that are equal byte by byte, resource and scope included, it keeps the first and marks the others as Omitted: a request whose
// first delivery was partly stored, or whose answer was lost, is sent again. It returns the number of these.
func (k *Kept) Arrange(t int) (repeats int, err error) {
	spans := k.Spans[k.Traces[t].From:k.Traces[t].To]
	for i := range spans {
		if err := spans[i].parse(k.Bytes); err != nil {
			return 0, err
		}
	}
	by := order{all: k.Bytes}
	slices.SortFunc(spans, by.compare)
	for i := 1; i < len(spans); i++ {
		if by.compare(spans[i-1], spans[i]) != 0 {
			continue
		}
		if !by.ranked && (spans[i-1].Resource != spans[i].Resource || spans[i-1].Scope != spans[i].Scope) {
			by.rank(k, spans)
			slices.SortFunc(spans, by.compare)
			clearLeft(spans)
			i, repeats = 0, 0
			continue
		}
		spans[i].Omitted = true
		repeats++
	}
	k.placement.place(spans)
	return repeats, nil
}

func clearLeft(spans []KeptSpan) {
	for i := range spans {
		spans[i].Omitted = false
	}
}

// order compares a trace's spans by their contents alone, whatever their requests and numbers.
type order struct {
	all []byte // holds the ranges
	// ranked reports whether headers were ranked, for spans that differ only in these: a header may be as large as a request,
	// and many spans may share it.
	ranked            bool
	resources, scopes map[int32]int32
}

// compare returns 0 only for spans that are equal byte by byte, apart from headers unless these are ranked.
func (o *order) compare(x, y KeptSpan) int {
	if c := cmp.Or(cmp.Compare(x.Start, y.Start), bytes.Compare(x.ID[:], y.ID[:])); c != 0 {
		return c
	}
	if c := bytes.Compare(x.Body.Of(o.all), y.Body.Of(o.all)); c != 0 || !o.ranked {
		return c
	}
	return cmp.Or(cmp.Compare(o.resources[x.Resource], o.resources[y.Resource]), cmp.Compare(o.scopes[x.Scope], o.scopes[y.Scope]))
}

// rank ranks the headers of spans.
func (o *order) rank(k *Kept, spans []KeptSpan) {
	o.ranked = true
	o.resources = o.ranks(spans, k.Resources, func(s *KeptSpan) int32 { return s.Resource })
	o.scopes = o.ranks(spans, k.Scopes, func(s *KeptSpan) int32 { return s.Scope })
}

// ranks returns the ranks of the spans' headers, by their numbers; equal headers have equal ranks.
func (o *order) ranks(spans []KeptSpan, headers []Range, numberOf func(s *KeptSpan) int32) map[int32]int32 {
	rank := map[int32]int32{}
	var numbers []int32
	for i := range spans {
		n := numberOf(&spans[i])
		if _, known := rank[n]; !known {
			rank[n] = 0
			numbers = append(numbers, n)
		}
	}
	slices.SortFunc(numbers, func(a, b int32) int { return bytes.Compare(headers[a].Of(o.all), headers[b].Of(o.all)) })
	for at, n := range numbers {
		rank[n] = int32(at)
		if at > 0 && bytes.Equal(headers[n].Of(o.all), headers[numbers[at-1]].Of(o.all)) {
			rank[n] = rank[numbers[at-1]]
		}
	}
	return rank
}

// placement groups sorted spans by resource, and within that by scope, in the order of the first span of each. Its memory is
// reused for the next trace.
type placement struct {
	groups []group
	known  map[[2]int32]int32 // numbers of groups by resource and scope, and of a resource's first group by resource and none; used if there are many
	of     []int32            // by span: its group
	sorted []KeptSpan
}

// group is the spans of one resource and scope.
type group struct {
	resource, scope int32
	first           int32 // the first group of the resource
	spans           int   // their number; later the place of the next one
}

// few is the largest number of groups that are searched one by one.
const few = 16

func (p *placement) place(spans []KeptSpan) {
	p.groups, p.of = p.groups[:0], p.of[:0]
	clear(p.known)
	for i := range spans {
		s := &spans[i]
		if i == 0 || s.Resource != spans[i-1].Resource || s.Scope != spans[i-1].Scope {
			p.of = append(p.of, p.number(s.Resource, s.Scope))
		} else {
			p.of = append(p.of, p.of[i-1])
		}
		p.groups[p.of[i]].spans++
	}
	if len(p.groups) > 1 && !p.placed() {
		p.move(spans)
	}
}

// number returns the number of a group, adding it if it is new.
func (p *placement) number(resource, scope int32) int32 {
	next := int32(len(p.groups))
	first := next
	if next <= few {
		for i := range p.groups {
			g := &p.groups[i]
			if g.resource == resource && g.scope == scope {
				return int32(i)
			}
			if g.resource == resource && first == next {
				first = g.first
			}
		}
	} else {
		if n, known := p.known[[2]int32{resource, scope}]; known {
			return n
		}
		if n, known := p.known[[2]int32{resource, none}]; known {
			first = n
		}
	}
	p.groups = append(p.groups, group{resource: resource, scope: scope, first: first})
	if next >= few {
		p.remember()
	}
	return next
}

// remember adds groups to known: the last one, or all if known is empty.
func (p *placement) remember() {
	if p.known == nil {
		p.known = map[[2]int32]int32{}
	}
	from := len(p.groups) - 1
	if len(p.known) == 0 {
		from = 0
	}
	for i, g := range p.groups[from:] {
		p.known[[2]int32{g.resource, g.scope}] = int32(from + i)
		p.known[[2]int32{g.resource, none}] = g.first
	}
}

// less reports whether a group goes before another.
func (p *placement) less(a, b int32) bool {
	return cmp.Or(cmp.Compare(p.groups[a].first, p.groups[b].first), cmp.Compare(a, b)) < 0
}

// placed reports whether the spans are in their places already.
func (p *placement) placed() bool {
	for i := 1; i < len(p.of); i++ {
		if p.less(p.of[i], p.of[i-1]) {
			return false
		}
	}
	return true
}

func (p *placement) move(spans []KeptSpan) {
	order := make([]int32, len(p.groups))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int {
		return cmp.Or(cmp.Compare(p.groups[a].first, p.groups[b].first), cmp.Compare(a, b))
	})
	at := 0
	for _, n := range order {
		g := &p.groups[n]
		at, g.spans = at+g.spans, at
	}
	p.sorted = append(p.sorted[:0], spans...)
	for i, n := range p.of {
		g := &p.groups[n]
		spans[g.spans] = p.sorted[i]
		g.spans++
	}
	clear(p.sorted)
}

// Fill fills k with the traces of a request, in the order of their first spans.
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
