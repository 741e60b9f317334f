package host_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"

	"github.com/slowburn/slowburn/internal/host"
)

type fakeHost map[component.ID]component.Component

func (f fakeHost) GetExtensions() map[component.ID]component.Component { return f }

type plain struct {
	component.StartFunc
	component.ShutdownFunc
}

type listener struct {
	plain
	seen map[component.ID]any
}

func (l *listener) ComponentStarted(id component.ID, c any) { l.seen[id] = c }
func (l *listener) ComponentStopped(id component.ID, _ any) { delete(l.seen, id) }

type prober struct{ plain }

func (prober) Probe(context.Context) host.Health { return host.Health{OK: true} }

func TestLookup(t *testing.T) {
	h := fakeHost{component.MustNewID("tsdb"): prober{}, component.MustNewID("web"): &plain{}}

	got, err := host.Lookup[host.Prober](h, component.MustNewID("tsdb"))
	require.NoError(t, err)
	assert.True(t, got.Probe(t.Context()).OK)

	_, err = host.Lookup[host.Prober](h, component.MustNewID("missing"))
	assert.ErrorContains(t, err, `no extension "missing" is running: define it under extensions`)

	_, err = host.Lookup[host.Prober](h, component.MustNewID("web"))
	assert.ErrorContains(t, err, `extension "web" cannot serve here`)
}

func TestFind(t *testing.T) {
	one := fakeHost{component.MustNewID("a"): prober{}, component.MustNewID("b"): &plain{}}
	_, ok, err := host.Find[host.Prober](one)
	require.NoError(t, err)
	assert.True(t, ok)

	_, ok, err = host.Find[host.Listener](one)
	require.NoError(t, err)
	assert.False(t, ok)

	two := fakeHost{component.MustNewID("a"): prober{}, component.MustNewID("b"): prober{}}
	_, ok, err = host.Find[host.Prober](two)
	assert.False(t, ok)
	assert.ErrorContains(t, err, `["a" "b"]`)

	many := fakeHost{}
	for _, id := range []string{"f", "b", "h", "d", "a", "g", "c", "e"} {
		many[component.MustNewID(id)] = prober{}
	}
	_, _, err = host.Find[host.Prober](many)
	assert.ErrorContains(t, err, `["a" "b" "c" "d" "e" "f" "g" "h"]`, "in an order that does not change")
}

func TestAnnounceAndRetract(t *testing.T) {
	l := &listener{seen: map[component.ID]any{}}
	h := fakeHost{component.MustNewID("web"): l, component.MustNewID("b"): &plain{}}
	id := component.MustNewID("tail_sampling")

	host.Announce(h, id, "sampler")
	assert.Equal(t, map[component.ID]any{id: "sampler"}, l.seen)
	host.Retract(h, id, "sampler")
	assert.Empty(t, l.seen)

	host.Announce(nil, id, "nobody listens")
}
