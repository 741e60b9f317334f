package ask_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy/internal/ask"
	"github.com/slowburn/slowburn/processor/policy/internal/policytest"
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
)

// text matches a string, and counts its calls.
type text struct {
	want  string
	asked *int
}

func (p text) Holds(v wire.Value) bool {
	*p.asked++
	return v.Kind() == wire.String && string(v.Bytes()) == p.want
}

// named matches spans by name, and counts its calls.
type named struct {
	want  string
	asked *int
}

func (p named) Holds(v *rule.SpanView) bool {
	*p.asked++
	return string(v.Name()) == p.want
}

// counter counts spans in a word.
type counter int

func (c counter) Observe(words []uint64, _ *rule.SpanView) { words[c]++ }

// Each distinct question has a bit, the first of which is status ERROR.
func TestQuestionsHaveBits(t *testing.T) {
	b := ask.NewBuilder(true)
	require.True(t, b.Contrib)
	require.Equal(t, rule.ErrorBit, b.Status(wire.StatusError))
	require.Equal(t, 1, b.Status(wire.StatusOK))
	require.Equal(t, 1, b.Status(wire.StatusOK))
	asked := 0
	require.Equal(t, 2, b.Attribute("a", "is x", text{"x", &asked}))
	require.Equal(t, 2, b.Attribute("a", "is x", text{"x", &asked}))
	require.Equal(t, 3, b.Attribute("a", "is y", text{"y", &asked}))
	require.Equal(t, 4, b.Attribute("b", "is x", text{"x", &asked}))
	require.Equal(t, 5, b.Span("root", named{"root", &asked}))
	require.Equal(t, 5, b.Span("root", named{"root", &asked}))
	bit, known := b.Bit("else")
	require.Equal(t, 6, bit)
	require.False(t, known)
	bit, known = b.Bit("else")
	require.Equal(t, 6, bit)
	require.True(t, known)
	require.Equal(t, 1, b.Words())
}

// Words of observers stand between those of bits, which are added when they are needed.
func TestWords(t *testing.T) {
	b := ask.NewBuilder(false)
	require.Equal(t, 1, b.Words())
	require.Equal(t, 1, b.Word())
	for i := 1; i < 64; i++ {
		bit, _ := b.Bit(fmt.Sprint(i))
		require.Equal(t, i, bit)
	}
	require.Equal(t, 2, b.Words())
	bit, _ := b.Bit("64")
	require.Equal(t, 2*64, bit)
	bit, _ = b.Bit("65")
	require.Equal(t, 2*64+1, bit)
	require.Equal(t, 3, b.Words())
}

func TestWarningsHaveAPlace(t *testing.T) {
	b := ask.NewBuilder(false)
	b.Place = "here"
	b.Warn("it is %d", 7)
	b.Place = "there"
	b.Warn("so it is")
	require.Equal(t, []string{"here: it is 7", "there: so it is"}, b.Warnings())
}

// An answered question is not asked again, neither of a span nor of a resource.
func TestObserve(t *testing.T) {
	b := ask.NewBuilder(false)
	var attribute, span int
	x := b.Attribute("a", "is x", text{"x", &attribute})
	root := b.Span("root", named{"root", &span})
	c := counter(b.Word())
	b.Observe(c)
	require.Equal(t, []ask.Observer{c}, b.Observers())
	ok := b.Status(wire.StatusOK)
	q := b.Build()
	views := policytest.Views(t,
		policytest.Span{Name: "child", Status: "UNKNOWN", Attributes: map[string]any{"a": "y"}},
		policytest.Span{Name: "root", Status: "OK", Attributes: map[string]any{"b": 1, "a": "x"}},
		policytest.Span{Name: "root", Attributes: map[string]any{"a": "x"}, Resource: map[string]any{"a": "x"}},
	)
	bits := make([]uint64, b.Words())
	for i, want := range []struct{ attribute, span int }{{1, 1}, {2, 2}, {2, 2}} {
		q.Observe(bits, &views[i], nil)
		require.Equal(t, want.attribute, attribute)
		require.Equal(t, want.span, span)
		require.Equal(t, i > 0, rule.IsSet(bits, x))
		require.Equal(t, i > 0, rule.IsSet(bits, root))
		require.Equal(t, i > 0, rule.IsSet(bits, ok))
		require.EqualValues(t, i+1, bits[c])
	}
	require.False(t, rule.IsSet(bits, rule.ErrorBit))
	q.Resource(bits, views[2].Resource)
	require.Equal(t, 2, attribute, "it is answered")
	clear(bits)
	q.Resource(bits, views[2].Resource)
	require.Equal(t, 3, attribute)
	require.True(t, rule.IsSet(bits, x))
	require.False(t, rule.IsSet(bits, root))
	failed := policytest.Views(t, policytest.Span{Status: "ERROR"})
	q.Observe(bits, &failed[0], nil)
	require.True(t, rule.IsSet(bits, rule.ErrorBit))
}

// Values are stored if a policy reads them, even for keys whose questions are answered, and the first one counts.
func TestValues(t *testing.T) {
	b := ask.NewBuilder(false)
	asked := 0
	x := b.Attribute("a", "is x", text{"x", &asked})
	require.Equal(t, 0, b.Value("z"))
	require.Equal(t, 1, b.Value("a"))
	require.Equal(t, 0, b.Value("z"))
	require.Equal(t, 2, b.Values())
	q := b.Build()
	view := policytest.Views(t, policytest.Span{Attributes: map[string]any{"a": "x", "b": "no"}, Twice: map[string]any{"a": "y", "z": 7}})[0]
	bits := make([]uint64, b.Words())
	rule.Set(bits, x)
	values := make([]wire.Value, 2)
	q.Observe(bits, &view, values)
	require.Zero(t, asked)
	require.EqualValues(t, 7, values[0].Int())
	require.Equal(t, "x", string(values[1].Bytes()))
	q.Observe(bits, &view, nil)

	plain := ask.NewBuilder(false)
	x = plain.Attribute("a", "is x", text{"x", &asked})
	questions := plain.Build()
	bits = make([]uint64, plain.Words())
	rule.Set(bits, x)
	questions.Observe(bits, &view, values)
	require.Zero(t, asked, "nothing is open and no value is wanted")
}

// More keys than one walk can search for, many of them with equal hashes.
func TestManyKeys(t *testing.T) {
	b := ask.NewBuilder(false)
	const n = 130
	asked := make([]int, n)
	bits := make([]int, n)
	key := func(i int) string { return fmt.Sprintf("key%03d.x", i) }
	for i := range n {
		bits[i] = b.Attribute(key(i), "is x", text{"x", &asked[i]})
	}
	q := b.Build()
	require.Equal(t, 3, b.Words())
	for i := range n {
		attributes := map[string]any{key(i): "x", "other.x": "x", "": "x"}
		view := policytest.Views(t, policytest.Span{Attributes: attributes, Resource: map[string]any{key((i + 1) % n): "x", "other.x": "x"}})[0]
		got := make([]uint64, b.Words())
		q.Observe(got, &view, nil)
		for j := range n {
			require.Equal(t, i == j, rule.IsSet(got, bits[j]))
		}
		clear(got)
		q.Resource(got, view.Resource)
		for j := range n {
			require.Equal(t, (i+1)%n == j, rule.IsSet(got, bits[j]))
		}
		require.Equal(t, min(i+1, 1)+min(1, i), asked[i])
	}
}

// Of a resource's duplicate attributes the first counts, too.
func TestFirstOfResourceCounts(t *testing.T) {
	b := ask.NewBuilder(false)
	asked := 0
	bit := b.Attribute("a", "is x", text{"x", &asked})
	q := b.Build()
	for order, want := range map[[2]string]bool{{"x", "y"}: true, {"y", "x"}: false} {
		var resource []byte
		for _, value := range order {
			resource = append(resource, policytest.Views(t, policytest.Span{Resource: map[string]any{"a": value}})[0].Resource...)
		}
		bits := make([]uint64, 1)
		q.Resource(bits, resource)
		require.Equal(t, want, rule.IsSet(bits, bit), order)
	}
}
