package destination_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/tailsampling/destination"
)

// One exporter in two pipelines is two destinations.
func TestKey(t *testing.T) {
	d := destination.Destination{ID: "otlp_grpc/backend", Pipeline: "traces/sampled", Bytes: true}
	require.Equal(t, "otlp_grpc/backend in traces/sampled", d.Key())
}
