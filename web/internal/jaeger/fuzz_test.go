package jaeger

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/tracestore"
)

// FuzzQuery reads arbitrary parameters of Jaeger's search: an accepted query is within the bounds, and means the same when it is
// encoded again.
func FuzzQuery(f *testing.F) {
	f.Add("service=a&operation=all&minDuration=1ms&maxDuration=2s&start=5&end=9&limit=20")
	f.Add(`tags={"error":"true"}&tag=error:true`)
	f.Add("limit=100001&start=-9223372036854775808")
	f.Add("tags=[1]&tag=x")
	f.Fuzz(func(t *testing.T, raw string) {
		values, err := url.ParseQuery(raw)
		if err != nil {
			return
		}
		q, err := parseQuery(values)
		if err != nil {
			require.NotEmpty(t, err.Error())
			return
		}
		require.Positive(t, q.Limit)
		require.LessOrEqual(t, q.Limit, tracestore.MaxLimit)
		require.GreaterOrEqual(t, q.MinDuration.Nanoseconds(), int64(0))
		again, err := url.ParseQuery(values.Encode())
		require.NoError(t, err)
		same, err := parseQuery(again)
		require.NoError(t, err)
		require.Equal(t, q, same)
		_, err = q.Possible()
		require.NoError(t, err)
	})
}
