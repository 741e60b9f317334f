package policy

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
)

func configsOf(t *testing.T, yaml string) []Config {
	retrieved, err := confmap.NewRetrievedFromYAML([]byte(yaml))
	require.NoError(t, err)
	conf, err := retrieved.AsConf()
	require.NoError(t, err)
	var cfg struct {
		Policies []Config `mapstructure:"policies"`
	}
	require.NoError(t, conf.Unmarshal(&cfg))
	return cfg.Policies
}

// Compile decodes sections in place, so that equal policies in different spelling are equal afterwards.
func TestCompileDecodesInPlace(t *testing.T) {
	one := configsOf(t, `
policies:
- {name: first, type: rare, rare: {period: 60s, key: [name]}}
- {name: both, type: and, and: {and_sub_policy: [{type: not, not: {not_sub_policy: {type: rare, rare: {period: 90s}}}}, {type: always_sample}]}}
`)
	other := configsOf(t, `
policies:
- {type: rare, name: first, rare: {key: [name], period: 1m, traces: 0}, drop: }
- {name: both, type: and, and: {and_sub_policy: [{type: not, not: {not_sub_policy: {type: rare, rare: {period: 1m30s}}}}, {type: always_sample}]}}
`)
	require.NotEqual(t, one, other)
	_, err := Compile(one, Options{})
	require.NoError(t, err)
	_, err = Compile(other, Options{})
	require.NoError(t, err)
	require.Equal(t, one, other)
	require.Equal(t, Config{Name: "first", Type: Rare, Section: &RareConfig{Period: time.Minute, KeyConfig: KeyConfig{Key: []string{"name"}}}}, one[0])
	require.Equal(t, &NotConfig{SubPolicy: Config{Type: Rare, Section: &RareConfig{Period: 90 * time.Second}}},
		one[1].Section.(*AndConfig).SubPolicies[0].Section)
	_, err = Compile(one, Options{})
	require.NoError(t, err, "again")
}

// A section that is set in Go must have the policy's type.
func TestSectionsGoWithTypes(t *testing.T) {
	for want, cfg := range map[string]Config{
		`policies[0] "x": latency: is required by the type`:                                          {Type: Latency, Section: &SpanCountConfig{}},
		`policies[0] "x": status_code: is required by the type`:                                      {Type: StatusCode, Section: StatusCodeConfig{}},
		`policies[0] "x": a policy of type always_sample has name and type only; remove the section`: {Type: AlwaysSample, Section: &LatencyConfig{}},
		`policies[0] "x": and: is required by the type`:                                              {Type: And, Section: &DropConfig{SubPolicies: []Config{{}}}},
	} {
		cfg.Name = "x"
		_, err := Compile([]Config{cfg}, Options{})
		require.EqualError(t, err, want)
	}
}
