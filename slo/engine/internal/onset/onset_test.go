package onset

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/slowburn/slowburn/slo"
)

// TestFind finds the beginning of the last burn in a few minutes of 100 events each; a dash is a minute without events.
func TestFind(t *testing.T) {
	for name, c := range map[string]struct {
		minutes string // bad events in tens
		window  int
		want    int
	}{
		"none":                        {"0000000000", 3, -1},
		"no minutes":                  {"", 3, -1},
		"no events":                   {"-----", 3, -1},
		"all":                         {"5555555555", 3, 0},
		"the last minutes":            {"0000000555", 3, 7},
		"the last minute":             {"0000000009", 3, 9},
		"an earlier one is over":      {"0990000555", 3, 7},
		"it is over":                  {"0055500000", 3, -1},
		"a good minute in it":         {"0000550555", 3, 4},
		"silence in it":               {"0005---555", 3, 3},
		"silence after it":            {"0000555---", 3, 4},
		"shorter than the window":     {"05", 5, 1},
		"a window of nothing is one":  {"0005", 0, 3},
		"never as much in one minute": {"0000111222", 3, 7},
	} {
		t.Run(name, func(t *testing.T) {
			var minutes []slo.Events
			for _, r := range c.minutes {
				if r == '-' {
					minutes = append(minutes, slo.Events{})
					continue
				}
				minutes = append(minutes, slo.Events{Total: 100, Bad: uint64(r-'0') * 10})
			}
			got, ok := Find(minutes, c.window, 0.2)
			if !ok {
				got = -1
			}
			assert.Equal(t, c.want, got)
		})
	}
}
