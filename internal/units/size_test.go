package units

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
)

type config struct {
	Size Size `mapstructure:"size"`
}

func TestSizeInConfig(t *testing.T) {
	for value, want := range map[any]Size{
		"0": 0, "1024": 1024, "1024B": 1024, "64KiB": 64 << 10, "512MiB": 512 << 20, "1.5GiB": 1536 << 20, " 2 TiB ": 2 << 40,
		"1KB": 1e3, "2MB": 2e6, "3GB": 3e9, "4TB": 4e12, 2097152: 1 << 21,
	} {
		var cfg config
		require.NoError(t, confmap.NewFromStringMap(map[string]any{"size": value}).Unmarshal(&cfg), value)
		require.Equal(t, want, cfg.Size, value)
	}
	for _, value := range []any{"", "MiB", "x", "-1", "12 Mib", "1e30", "NaN", "Inf GiB", "1MiBMiB"} {
		var cfg config
		err := confmap.NewFromStringMap(map[string]any{"size": value}).Unmarshal(&cfg)
		require.ErrorContains(t, err, "write a number of bytes", value)
	}
}

// A size that `print-config` and errors write reads as the same.
func TestSizeText(t *testing.T) {
	for s, want := range map[Size]string{
		0: "0B", 1: "1B", 1000: "1000B", 1 << 30: "1GiB", 3 << 19: "1536KiB", 1536 << 20: "1536MiB", 1 << 40: "1TiB",
	} {
		require.Equal(t, want, s.String())
	}
	for _, s := range []Size{0, 1, 1023, 1 << 10, 1e9, 1 << 52, math.MaxInt32} {
		text, err := s.MarshalText()
		require.NoError(t, err)
		var back Size
		require.NoError(t, back.UnmarshalText(text))
		require.Equal(t, s, back)
	}
}

func TestAbout(t *testing.T) {
	for bytes, want := range map[int64]string{
		0: "0.0KiB", 1536: "1.5KiB", 1<<20 - 1: "1024.0KiB", 512 << 20: "512.0MiB", 1 << 30: "1.0GiB", 5 << 40: "5.0TiB",
	} {
		require.Equal(t, want, About(bytes))
	}
}
