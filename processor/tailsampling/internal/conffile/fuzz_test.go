package conffile

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
)

// FuzzChanged compares configuration files as a watch reads them, half-written ones included: a file equals itself, and a change
// is found in both directions.
func FuzzChanged(f *testing.F) {
	f.Add("{a: {b: 1}}", "{a: {b: 2}}")
	f.Add("{p: {policies: [{name: x}]}}", "{p: {policies: [{name: y}]}, q: }")
	f.Add("a: &x [*x]", "- 1")
	f.Add("{a::b: 1}", "{a: {b: 1}}")
	parsed := func(text string) *confmap.Conf {
		retrieved, err := confmap.NewRetrievedFromYAML([]byte(text))
		if err != nil {
			return nil
		}
		conf, err := retrieved.AsConf()
		if err != nil {
			return nil
		}
		return conf
	}
	f.Fuzz(func(t *testing.T, before, now string) {
		if len(before)+len(now) > 4<<10 {
			return
		}
		a, b := parsed(before), parsed(now)
		if a == nil || b == nil {
			return
		}
		none := func(string) bool { return false }
		require.Empty(t, Changed(parsed(before), parsed(before), none), "%q", before)
		require.Len(t, Changed(b, a, none), len(Changed(a, b, none)))
		require.Empty(t, Changed(a, b, func(string) bool { return true }))
		Inherited([]Location{{Name: "0", Conf: a}, {Name: "1", Conf: b}}, "p")
	})
}
