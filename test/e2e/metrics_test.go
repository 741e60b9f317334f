//go:build e2e

package e2e

import (
	"bufio"
	"math"
	"net"
	"net/http"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// ownMetrics returns an address for the metrics of a gateway with testdata/metrics.yaml, and the variable that sets it.
func ownMetrics(t *testing.T) (address, env string) {
	t.Helper()
	address = freePort(t)
	_, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	return address, "E2E_METRICS_PORT=" + port
}

// histogram is a histogram of the gateway: the number of values up to each bound, the last of which is +Inf.
type histogram struct {
	bounds []float64
	counts map[float64]float64
}

var bound = regexp.MustCompile(`le="([^"]+)"`)

// readHistogram reads a histogram of the gateway by its name in the Prometheus format, summed over its attributes.
func readHistogram(t *testing.T, address, name string) histogram {
	t.Helper()
	resp, err := http.Get("http://" + address + "/metrics")
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, http.StatusOK, resp.StatusCode)
	h := histogram{counts: map[float64]float64{}}
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		le := bound.FindStringSubmatch(lines.Text())
		if !strings.HasPrefix(lines.Text(), name+"_bucket{") || le == nil {
			continue
		}
		upTo, err := strconv.ParseFloat(le[1], 64)
		require.NoError(t, err)
		_, value, _ := strings.Cut(lines.Text(), "} ")
		n, err := strconv.ParseFloat(value, 64)
		require.NoError(t, err)
		if _, known := h.counts[upTo]; !known {
			h.bounds = append(h.bounds, upTo)
		}
		h.counts[upTo] += n
	}
	require.NoError(t, lines.Err())
	require.NotEmpty(t, h.bounds, "the gateway has no metric %s", name)
	sort.Float64s(h.bounds)
	return h
}

// total returns the number of values.
func (h histogram) total() float64 { return h.counts[math.Inf(1)] }

// quantile returns the least bound with at least a share of the values up to it.
func (h histogram) quantile(share float64) float64 {
	for _, b := range h.bounds {
		if h.counts[b] >= share*h.total() {
			return b
		}
	}
	return math.Inf(1)
}
