package problems

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/confmap"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type part struct {
	Target float64       `mapstructure:"target"`
	Window time.Duration `mapstructure:"window"`
}

type config struct {
	Directory string `mapstructure:"directory"`
	Retention int    `mapstructure:"retention"`
	Part      part   `mapstructure:"part"`
	Parts     []part `mapstructure:"parts"`
	Fast      bool   `mapstructure:"fast"`
}

// Validate returns two errors at once.
func (c *config) Validate() error {
	var errs []error
	if c.Directory == "" {
		errs = append(errs, errors.New("directory must not be empty: name one"))
	}
	if c.Retention < 0 {
		errs = append(errs, errors.New("the past cannot be kept"))
	}
	return errors.Join(errs...)
}

// Validate checks a part.
func (p *part) Validate() error {
	if p.Target > 100 {
		return errors.New("target: is above 100")
	}
	return nil
}

func TestOf(t *testing.T) {
	for name, c := range map[string]struct {
		values map[string]any
		want   []string
	}{
		"nothing": {map[string]any{"directory": "x"}, nil},
		"unknown keys": {map[string]any{"directory": "x", "part": map[string]any{"taget": 99, "elsewhere": 1}, "retnetion": 3}, []string{
			"a::b::part::elsewhere: is no key",
			"a::b::part::taget: is no key; write target, if that is meant",
			"a::b::retnetion: is no key; write retention, if that is meant",
		}},
		"wrong types, beside an unknown key": {map[string]any{"retention": "many", "fast": []any{1}, "fats": true}, []string{
			"a::b::fast: must be true or false, not a list",
			"a::b::fats: is no key; write fast, if that is meant",
			"a::b::retention: must be a whole number, not a text",
		}},
		"validation, of all parts": {map[string]any{"retention": -1, "parts": []any{map[string]any{"target": 1}, map[string]any{"target": 101}}}, []string{
			"a::b: the past cannot be kept",
			"a::b::directory: must not be empty: name one",
			"a::b::parts[1]::target: is above 100",
		}},
		"no unit, and what else is wrong": {map[string]any{"part": map[string]any{"window": 30, "traget": 5}}, []string{
			"a::b::part::traget: is no key; write target, if that is meant",
			"a::b::directory: must not be empty: name one",
			"a::b::part::window: 30 has no unit; write 30s, 30m or 30ms, whichever it is",
		}},
		"a duration of our grammar": {map[string]any{"directory": "x", "part": map[string]any{"window": "7d"}}, nil},
	} {
		var lines []string
		for _, p := range Of("a::b", confmap.NewFromStringMap(c.values), &config{}) {
			lines = append(lines, p.String())
		}
		assert.ElementsMatch(t, c.want, lines, name)
	}
}

func TestDistance(t *testing.T) {
	for pair, want := range map[[2]string]int{
		{"", ""}: 0, {"a", ""}: 1, {"taget", "target"}: 1, {"traget", "target"}: 1, {"kitten", "sitting"}: 3, {"abc", "abc"}: 0, {"ab", "ba"}: 1,
	} {
		assert.Equal(t, want, distance(pair[0], pair[1]), pair)
		assert.Equal(t, want, distance(pair[1], pair[0]), pair)
	}
}
