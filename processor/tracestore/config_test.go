package tracestore

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
)

func TestConfig(t *testing.T) {
	cfg := NewFactory().CreateDefaultConfig().(*Config)
	require.NoError(t, confmap.NewFromStringMap(map[string]any{"max_bytes": "2GiB", "retention": "1h"}).Unmarshal(cfg))
	require.Equal(t, &Config{Directory: "slowburn-data", Retention: time.Hour, MaxBytes: 2 << 30}, cfg)
	require.NoError(t, cfg.Validate())
	err := (&Config{}).Validate()
	require.ErrorContains(t, err, "directory: is empty")
	require.ErrorContains(t, err, "retention: 0s is not")
	require.ErrorContains(t, err, "max_bytes: 0B is too few")
}
