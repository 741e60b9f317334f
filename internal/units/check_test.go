package units

import (
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
)

type inside struct {
	Wait  time.Duration `mapstructure:"wait"`
	Bytes Size          `mapstructure:"budget"`
}

type settings struct {
	inside  `mapstructure:",squash"`
	Taken   time.Duration                                    `mapstructure:"taken" units:"foreign"`
	Days    Duration                                         `mapstructure:"days"`
	Kept    model.Duration                                   `mapstructure:"kept"`
	Size    Size                                             `mapstructure:"size_bytes"`
	List    []inside                                         `mapstructure:"list"`
	Named   map[string]*inside                               `mapstructure:"named"`
	Client  configoptional.Optional[confighttp.ClientConfig] `mapstructure:"client"`
	Pointer *inside                                          `mapstructure:"pointer"`
	Count   int                                              `mapstructure:"count"`
	Secret  string                                           `mapstructure:"-"`
}

func TestCheck(t *testing.T) {
	found := Check("a::b", map[string]any{
		"wait": 5, "budget": "1024", "taken": 30, "days": 7.5, "kept": "1.5d", "size_bytes": 1024, "count": 7, "unknown": 3, "-": 4,
		"list":    []any{map[string]any{"wait": 0, "budget": 0}, map[string]any{"wait": 1, "budget": "1GB"}, "text"},
		"named":   map[string]any{"x": map[string]any{"wait": "1w", "budget": 7}},
		"client":  map[string]any{"timeout": 200, "http2_ping_timeout": 200_000_000, "idle_conn_timeout": "1d", "max_idle_conns": 7},
		"pointer": map[string]any{"wait": "2 days", "budget": "0"},
	}, &settings{})
	var lines []string
	for _, f := range found.Refused {
		lines = append(lines, f.String())
	}
	assert.Equal(t, []string{
		"a::b::budget: 1024 has no unit; write 1024B, 1024MiB or 1024MB, whichever it is",
		"a::b::days: 7.5 has no unit; write 7.5s, 7.5m or 7.5ms, whichever it is",
		"a::b::list[1]::wait: 1 has no unit; write 1s, 1m or 1ms, whichever it is",
		"a::b::named::x::budget: 7 has no unit; write 7B, 7MiB or 7MB, whichever it is",
		`a::b::pointer::wait: "2 days" is no duration: write it like 5m, 1h30m or 30d`,
		"a::b::wait: 5 has no unit; write 5s, 5m or 5ms, whichever it is",
	}, lines)
	assert.Equal(t, []Finding{
		{"a::b::client::http2_ping_timeout", "200000000 has no unit, and is 200ms; write what is meant with a unit, as in 200ms"},
		{"a::b::client::timeout", "200 has no unit, and is 200ns; write what is meant with a unit, as in 200s"},
		{"a::b::taken", "30 has no unit, and is 30ns; write what is meant with a unit, as in 30s"},
	}, found.Warned)
	assert.Equal(t, map[string]string{"a::b::kept": "1d12h", "a::b::named::x::wait": "168h0m0s"}, found.Rewritten)
	assert.Empty(t, Check("a", nil, &settings{}).Refused)
	assert.Empty(t, Check("a", "text", &settings{}).Refused)
}
