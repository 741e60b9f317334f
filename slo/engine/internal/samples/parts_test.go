package samples

import (
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/ledger/parts"
)

// TestParts reads the labels of sli's series, and of a query's result.
func TestParts(t *testing.T) {
	for name, c := range map[string]struct {
		labels model.Metric
		want   parts.Part
	}{
		"of sli": {model.Metric{"objective": "o", "service_name": "shop", "span_name": "buy", "service_version": "1", "reason": "500"},
			parts.Part{Service: "shop", Operation: "buy", Version: "1", Reason: "500"}},
		"of a query":  {model.Metric{"service": "shop", "operation": "buy", "version": "1"}, parts.Part{Service: "shop", Operation: "buy", Version: "1"}},
		"of a sum":    {nil, parts.Part{}},
		"both":        {model.Metric{"service": "mesh", "service_name": "shop"}, parts.Part{Service: "shop"}},
		"of a target": {model.Metric{"job": "api", "instance": "a:1"}, parts.Part{}},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, c.want, partOf(c.labels)) })
	}
}

// TestPartsOfAQuery breaks a PromQL objective down by the labels that its queries leave.
func TestPartsOfAQuery(t *testing.T) {
	byVersion := &answers{value: model.Vector{
		{Metric: model.Metric{"version": "1"}, Value: 50}, {Metric: model.Metric{"version": "2"}, Value: 25}, {Metric: model.Metric{"version": "3"}},
	}}
	in := slo.Indicator{Type: slo.PromQL, BadQuery: "bad", TotalQuery: "total", Resolution: 5 * time.Minute}
	c, _, err := ReadPromQL(t.Context(), byVersion, in, first, first+1)
	require.NoError(t, err)
	assert.Equal(t, []parts.Delta{
		{Part: parts.Part{Version: "1"}, Minute: first, N: 10}, {Part: parts.Part{Version: "2"}, Minute: first, N: 5},
		{Part: parts.Part{Version: "1"}, Minute: first, Bad: true, N: 10}, {Part: parts.Part{Version: "2"}, Minute: first, Bad: true, N: 5},
	}, c.Parts)
}
