package describe

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// resource has string attributes, written key=value.
func resource(attributes ...string) pcommon.Resource {
	r := pcommon.NewResource()
	for _, a := range attributes {
		key, value, _ := strings.Cut(a, "=")
		r.Attributes().PutStr(key, value)
	}
	return r
}

func TestResources(t *testing.T) {
	for attributes, want := range map[string]Resource{
		"":                                        {Service: "unknown_service", ClockName: "unknown_service"},
		"service.name=shop":                       {Service: "shop", ClockName: "shop"},
		"service.name=shop process.pid=1":         {Service: "shop", ClockName: "shop"},
		"service.name=shop host.name=h1":          {Service: "shop", Clock: "service.name=4:shop;host.name=2:h1;", ClockName: "shop @ h1"},
		"service.name=shop service.instance.id=":  {Service: "shop", ClockName: "shop"},
		"k8s.pod.uid=p container.id=c host.id=h":  {Service: "unknown_service", Clock: "k8s.pod.uid=1:p;container.id=1:c;host.id=1:h;", ClockName: "unknown_service @ p"},
		"process.pid=7 host.name=h service.name=": {Service: "unknown_service", Clock: "host.name=1:h;process.pid=1:7;", ClockName: "unknown_service @ h"},
		"service.namespace=n service.name=s service.instance.id=i host.name=h": {
			Service: "s", Clock: "service.namespace=1:n;service.name=1:s;service.instance.id=1:i;host.name=1:h;", ClockName: "s @ i",
		},
	} {
		got := *new(Resources).Of(resource(strings.Fields(attributes)...))
		got.Text = ""
		require.Equal(t, want, got, attributes)
	}
}

// Equal resources are described once, whatever the order of their attributes, and others are not taken for them.
func TestResourcesAreDescribedOnce(t *testing.T) {
	var d Resources
	shop := d.Of(resource("service.name=shop", "host.name=h"))
	require.Same(t, shop, d.Of(resource("host.name=h", "service.name=shop")))
	for _, other := range [][]string{
		{"service.name=shop"}, {"service.name=shop", "host.name=h", "x=y"}, {"service.name=h", "host.name=shop"},
	} {
		require.NotSame(t, shop, d.Of(resource(other...)))
	}
	require.Same(t, shop, d.Of(resource("service.name=shop", "host.name=h")))
}

// Maps with equal texts hold the same: neither types nor where one entry ends can be mistaken.
func TestMapsThatDifferHaveOtherTexts(t *testing.T) {
	maps := map[string]map[string]any{
		"empty": {}, "string": {"a": "1"}, "int": {"a": int64(1)}, "float": {"a": 1.0}, "bool": {"a": true}, "text of a bool": {"a": "true"},
		"two": {"a": "1", "b": "2"}, "swapped": {"a": "2", "b": "1"}, "in the value": {"a": "11:b2:112"}, "in the key": {"a1": ""},
		"nothing": {"a": ""}, "list": {"a": []any{"1"}}, "text of a list": {"a": `["1"]`},
	}
	texts := make(map[string]string)
	for name, raw := range maps {
		m := pcommon.NewMap()
		require.NoError(t, m.FromRaw(raw))
		text := Map(m)
		require.NotContains(t, texts, text, "%s", name)
		texts[text] = name
	}
	m := pcommon.NewMap()
	m.PutStr("b", "2")
	m.PutStr("a", "1")
	require.Equal(t, "two", texts[Map(m)])
}
