package skeleton

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/wire"
)

// TestPathAcrossClocks: the server span of a call is shifted into the call by the smallest offset, if it fits.
func TestPathAcrossClocks(t *testing.T) {
	client := Span{ID: 1, Kind: wire.KindClient, Start: 1000, End: 1100}
	below := Span{ID: 3, Parent: 2, Kind: 1}
	for name, c := range map[string]struct {
		far   Span
		below [2]uint64 // range of a span below the server span, on its clock; none if 0
		want  [3]uint64 // of the path, by ID
	}{
		"behind":             {Span{Kind: wire.KindServer, Start: 500, End: 560}, [2]uint64{510, 530}, [3]uint64{40, 40, 20}},
		"ahead":              {Span{Kind: wire.KindServer, Start: 5000, End: 5060}, [2]uint64{5010, 5030}, [3]uint64{40, 40, 20}},
		"a little ahead":     {Span{Kind: wire.KindServer, Start: 1050, End: 1110}, [2]uint64{1050, 1110}, [3]uint64{40, 0, 60}},
		"where it is":        {Span{Kind: wire.KindServer, Start: 1020, End: 1080}, [2]uint64{}, [3]uint64{40, 60, 0}},
		"all of the call":    {Span{Kind: wire.KindServer, Start: 3000, End: 3100}, [2]uint64{}, [3]uint64{0, 100, 0}},
		"longer than it":     {Span{Kind: wire.KindServer, Start: 1000, End: 1101}, [2]uint64{}, [3]uint64{100, 0, 0}},
		"no far end":         {Span{Kind: 1, Start: 500, End: 560}, [2]uint64{}, [3]uint64{100, 0, 0}},
		"one that started":   {Span{Kind: 1, Start: 950, End: 1010}, [2]uint64{}, [3]uint64{90, 10, 0}},
		"behind a queue":     {Span{Kind: wire.KindConsumer, Start: 1020, End: 1080}, [2]uint64{}, [3]uint64{100, 0, 0}},
		"without a start":    {Span{Kind: wire.KindServer, Start: 0, End: 1080}, [2]uint64{}, [3]uint64{100, 0, 0}},
		"without an end":     {Span{Kind: wire.KindServer, Start: 1020, End: 1020}, [2]uint64{}, [3]uint64{100, 0, 0}},
		"ends before it did": {Span{Kind: wire.KindServer, Start: 1020, End: 1010}, [2]uint64{}, [3]uint64{100, 0, 0}},
	} {
		c.far.ID, c.far.Parent, c.far.Service = 2, 1, 2
		spans := []Span{client, c.far}
		if c.below[1] > 0 {
			below.Start, below.End = c.below[0], c.below[1]
			spans = append(spans, below)
		}
		k := skeletonOf(spans...)
		for i, want := range c.want {
			got := k.CriticalPath(func(s *Span) bool { return s.ID == uint64(i+1) })
			require.Equal(t, want, got, "%s, span %d", name, i+1)
		}
	}
}

// TestPrimary: roots before orphans, called spans before callers, spans with a start before those without, then the earliest.
func TestPrimary(t *testing.T) {
	const orphaned = 99
	for name, c := range map[string]struct {
		spans []Span
		want  uint64
	}{
		"a root":                  {[]Span{{ID: 1, Parent: orphaned, Start: 1}, {ID: 2, Start: 5}}, 2},
		"one that was called":     {[]Span{{ID: 1, Kind: wire.KindClient, Start: 1}, {ID: 2, Kind: wire.KindServer, Start: 5}}, 2},
		"one that called nobody":  {[]Span{{ID: 1, Kind: wire.KindProducer, Start: 1}, {ID: 2, Kind: 1, Start: 5}}, 2},
		"a root that calls":       {[]Span{{ID: 1, Parent: orphaned, Kind: wire.KindServer, Start: 1}, {ID: 2, Kind: wire.KindClient, Start: 5}}, 2},
		"a root without a start":  {[]Span{{ID: 1, Parent: orphaned, Start: 1}, {ID: 2}}, 2},
		"called without a start":  {[]Span{{ID: 1, Kind: wire.KindClient, Start: 1}, {ID: 2, Kind: wire.KindServer}}, 2},
		"a consumer":              {[]Span{{ID: 1, Kind: wire.KindProducer, Start: 1}, {ID: 2, Kind: wire.KindConsumer, Start: 5}}, 2},
		"the earliest":            {[]Span{{ID: 1, Start: 5}, {ID: 2, Start: 1}}, 2},
		"one with a start":        {[]Span{{ID: 1}, {ID: 2, Start: 5}}, 2},
		"the first of equals":     {[]Span{{ID: 1, Start: 5}, {ID: 2, Start: 5}}, 1},
		"an orphan":               {[]Span{{ID: 1, Parent: orphaned, Start: 5}, {ID: 2, Parent: orphaned, Start: 1}}, 2},
		"not what has a parent":   {[]Span{{ID: 1, Parent: 2, Start: 1}, {ID: 2, Start: 5}}, 2},
		"its own parent is none":  {[]Span{{ID: 1, Parent: 1, Start: 5}}, 1},
		"a root that has no kind": {[]Span{{ID: 1, Kind: wire.KindClient, Start: 1}, {ID: 2, Parent: 1, Kind: wire.KindServer, Start: 2}}, 1},
	} {
		k := skeletonOf(c.spans...)
		require.Equal(t, c.want, k.Spans[k.primary()].ID, name)
	}
	require.Equal(t, int32(-1), skeletonOf().primary())
}

// TestParents: of spans with equal IDs, a server's client is its parent, and children are below the one of their service, or else
// the server.
func TestParents(t *testing.T) {
	for name, c := range map[string]struct {
		spans []Span
		child uint64 // by service
		want  uint64 // the service of its parent; 0 is none
	}{
		"shared ID":          {[]Span{{ID: 1, Service: 1, Kind: wire.KindServer}, {ID: 1, Service: 2, Kind: wire.KindClient}}, 1, 2},
		"not a producer":     {[]Span{{ID: 1, Service: 1, Kind: wire.KindServer}, {ID: 1, Service: 2, Kind: wire.KindProducer}}, 1, 0},
		"not a client's own": {[]Span{{ID: 1, Service: 1, Kind: wire.KindServer}, {ID: 1, Service: 2, Kind: wire.KindClient}}, 2, 0},
		"of its own service": {
			[]Span{{ID: 1, Service: 2, Kind: wire.KindServer}, {ID: 1, Service: 3, Kind: wire.KindClient}, {ID: 2, Parent: 1, Service: 3, Kind: 1}}, 3, 3,
		},
		"of the server": {
			[]Span{{ID: 1, Service: 2, Kind: wire.KindClient}, {ID: 1, Service: 3, Kind: wire.KindServer}, {ID: 2, Parent: 1, Service: 4, Kind: 1}}, 4, 3,
		},
		"missing": {[]Span{{ID: 2, Parent: 9, Service: 4}}, 4, 0},
	} {
		k := skeletonOf(c.spans...)
		got := uint64(0)
		for i, p := range k.forest.Parents {
			if k.Spans[i].Service == c.child && p >= 0 {
				got = k.Spans[p].Service
			}
		}
		require.Equal(t, c.want, got, name)
	}
}
