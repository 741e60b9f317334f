package known

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/component"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestComponentsComeAndGo: two components may share an ID, and one that stops is removed.
func TestComponentsComeAndGo(t *testing.T) {
	first, second := new(int), new(int)
	id := component.MustNewID("otlp")
	all := &Components{Extensions: func() map[component.ID]component.Component { return nil }}
	all.Add(id, first)
	all.Add(id, second)
	assert.Len(t, all.All(), 2)
	all.Remove(id, first)
	assert.Equal(t, []Component{{id, second, true}}, all.All())
	all.Remove(component.MustNewIDWithName("otlp", "other"), second)
	assert.Len(t, all.All(), 1)
	all.Remove(id, second)
	assert.Empty(t, all.All())
}

type extension int

func (extension) Start(context.Context, component.Host) error { return nil }

func (extension) Shutdown(context.Context) error { return nil }

// TestOrder: extensions come first, then each class by ID; Find returns the first with the capability.
func TestOrder(t *testing.T) {
	id := component.MustNewIDWithName
	all := &Components{Extensions: func() map[component.ID]component.Component {
		return map[component.ID]component.Component{id("x", "2"): extension(2), id("x", "1"): extension(1)}
	}}
	_, ok := Find[string](all)
	assert.False(t, ok)
	all.Add(id("a", "2"), "second")
	all.Add(id("a", "1"), "first")
	all.Add(id("a", "3"), extension(3))
	var ids []string
	for _, c := range all.All() {
		ids = append(ids, c.ID.String())
	}
	assert.Equal(t, []string{"x/1", "x/2", "a/1", "a/2", "a/3"}, ids)
	assert.Equal(t, []extension{1, 2, 3}, FindAll[extension](all))
	found, ok := Find[string](all)
	assert.True(t, ok)
	assert.Equal(t, "first", found)
}
