package rule

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

type counter struct{ AnyBit }

func (counter) Count(*Trace, bool) {}

// A node has its type's traits apart from those it disables, and those of its parts.
func TestTraits(t *testing.T) {
	part := func(traits Traits) Node { return Node{Traits: traits} }
	for name, c := range map[string]struct {
		node    Node
		ofType  Traits
		contrib bool
		want    Traits
	}{
		"of its type":       {Node{}, Monotone | Bounded, false, Monotone | Bounded},
		"not of its type":   {Node{Not: Monotone}, Monotone | Bounded, false, Bounded},
		"with contrib":      {Node{}, Monotone | ContribWeightless, true, Monotone | ContribWeightless | Weightless},
		"without contrib":   {Node{}, Monotone | ContribWeightless, false, Monotone | ContribWeightless},
		"contrib otherwise": {Node{}, Monotone, true, Monotone},
		"all parts last":    {Node{Parts: []Node{part(Monotone), part(Monotone | Links)}}, Monotone, false, Monotone | Links},
		"one does not last": {Node{Parts: []Node{part(Monotone), part(Counts), part(Monotone)}}, Monotone, false, Counts},
		"parts alone last":  {Node{Parts: []Node{part(Monotone)}}, TopLevel, false, TopLevel},
		"any part":          {Node{Parts: []Node{part(Bounded), part(Samples), part(0)}}, Weightless, false, Bounded | Samples | Weightless},
	} {
		c.node.SetTraits(c.ofType, c.contrib)
		require.Equal(t, c.want, c.node.Traits, name)
	}
	require.True(t, (Monotone | Counts).Has(Counts))
	require.False(t, Counts.Has(Monotone|Counts))
}

func TestCountingNodes(t *testing.T) {
	n := Node{Rule: counter{}}
	require.Nil(t, n.Counting())
	n.Traits = Counts
	require.Equal(t, counter{}, n.Counting())
}

// Leaves come in the order of parts, and iteration can stop early.
func TestLeaves(t *testing.T) {
	leaf := func(bit int) Node { return Node{Rule: NoBit(bit)} }
	n := Node{Parts: []Node{leaf(1), {Parts: []Node{leaf(2), leaf(3)}}, leaf(4)}}
	var got []NoBit
	for l := range n.Leaves() {
		got = append(got, l.Rule.(NoBit))
	}
	require.Equal(t, []NoBit{1, 2, 3, 4}, got)
	for most := range 4 {
		seen := 0
		for range n.Leaves() {
			if seen++; seen > most {
				break
			}
		}
		require.Equal(t, most+1, seen)
	}
	one := leaf(7)
	require.Equal(t, []*Node{&one}, slices.Collect(one.Leaves()))
}
