package slo

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// FuzzNamesForEachService checks that the service of an objective is read off its name, whatever the service is called.
func FuzzNamesForEachService(f *testing.F) {
	for _, service := range []string{"checkout", "a/b c", "shop:checkout", "%2F", "é", "__other__"} {
		f.Add(service)
	}
	f.Fuzz(func(t *testing.T, service string) {
		d := Objective{Name: "each", Each: Each{By: ByService, Limit: 1}}
		o := d.For(service)
		got, ok := d.ServiceOf(o.Name)
		require.Equal(t, service != "", ok)
		if ok {
			require.Equal(t, service, got)
		}
		assert.Zero(t, o.Each)
		assert.Equal(t, service, o.Indicator.Spans.Service)
		assert.NoError(t, CheckName(d.Name))
		assert.Error(t, CheckName(o.Name), "no configured objective has the name of one for a service")
		_, ok = Objective{Name: "eac", Each: d.Each}.ServiceOf(o.Name)
		assert.False(t, ok)
		_, ok = o.ServiceOf(o.Name)
		assert.False(t, ok)
	})
}

// TestForEachErrors checks what cannot be made for each service.
func TestForEachErrors(t *testing.T) {
	good := Objective{Name: "each", Target: 0.99, Window: 24 * time.Hour, Indicator: Indicator{Type: Availability}, Each: Each{ByService, 50}}
	require.NoError(t, good.Validate())
	for want, change := range map[string]func(*Objective){
		`for_each: "host" is not service; write service`: func(o *Objective) { o.Each.By = "host" },
		"for_each: needs spans, but promql counts series": func(o *Objective) {
			o.Indicator = Indicator{Type: PromQL, BadQuery: "x", TotalQuery: "y", Resolution: time.Minute}
		},
		"for_each: there is one service only, as availability::service selects a": func(o *Objective) { o.Indicator.Spans.Service = "a" },
		"service: each objective has that of its spans; leave it out":             func(o *Objective) { o.Service = "a" },
		"limit: 0 is not from 1 to 1000":                                          func(o *Objective) { o.Each.Limit = 0 },
		"limit: 1001 is not from 1 to 1000":                                       func(o *Objective) { o.Each.Limit = 1001 },
	} {
		o := good
		change(&o)
		require.ErrorContains(t, o.Validate(), want)
	}
}
