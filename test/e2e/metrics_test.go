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

// ownMetrics says where a gateway that is run with testdata/metrics.yaml shows its own metrics.
func ownMetrics(t *testing.T) (address, env string) {
	t.Helper()
	address = freePort(t)
	_, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	return address, "E2E_METRICS_PORT=" + port
}

// histogram is one of the gateway's own: how many values there are up to each bound, which ends with +Inf.
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

// total is how many values there are.
func (h histogram) total() float64 { return h.counts[math.Inf(1)] }

// quantile is the least bound that so large a share of the values is not above.
func (h histogram) quantile(share float64) float64 {
	for _, b := range h.bounds {
		if h.counts[b] >= share*h.total() {
			return b
		}
	}
	return math.Inf(1)
}
