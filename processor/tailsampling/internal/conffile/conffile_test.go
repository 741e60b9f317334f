package conffile

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
)

func conf(t *testing.T, yaml string) *confmap.Conf {
	retrieved, err := confmap.NewRetrievedFromYAML([]byte(yaml))
	require.NoError(t, err)
	conf, err := retrieved.AsConf()
	require.NoError(t, err)
	return conf
}

func TestChanged(t *testing.T) {
	for _, c := range []struct {
		before, now string
		want        []string
	}{
		{"{}", "{}", nil},
		{"{a: 1}", "{a: 1}", nil},
		{"{a: 1}", "{a: 2}", []string{"a"}},
		{"{a: 1}", "{a: '1'}", []string{"a"}},
		{"{a: {b: {c: 1, d: 2}}}", "{a: {b: {c: 1, d: 3}}}", []string{"a::b::d"}},
		{"{a: {b: {c: 1}}}", "{a: {b: {c: 1, d: 3}}}", []string{"a::b::d"}},
		{"{a: {b: {c: 1, d: 3}}}", "{a: {b: {c: 1}}}", []string{"a::b::d"}},
		{"{a: {b: {c: 1}}}", "{a: {}}", []string{"a::b"}},
		{"{a: {}}", "{a: }", []string{"a"}},
		{"{a: }", "{a: {b: 1}}", []string{"a::b"}},
		{"{a: {b: 1}}", "{a: 5}", []string{"a"}},
		{"{a: [1, {b: 2}]}", "{a: [1, {b: 3}]}", []string{"a"}},
		{"{z: 1, a: {b: 1}}", "{z: 2, a: {b: 2}}", []string{"a::b", "z"}},
		{"{skipped: {b: 1}, a: {skipped: 1}}", "{skipped: {b: 2}, a: {skipped: 2}}", []string{"a::skipped"}},
	} {
		skip := func(key string) bool { return key == "skipped" }
		require.Equal(t, c.want, Changed(conf(t, c.before), conf(t, c.now), skip), "%s %s", c.before, c.now)
		require.Len(t, Changed(conf(t, c.now), conf(t, c.before), skip), len(c.want), "the other way round")
	}
}

func TestInherited(t *testing.T) {
	const (
		shipped = "{p: {decision_wait: 60s, decision_wait_after_root_received: 2s, revive_window: 30s, policies: []}}"
		contrib = "{p: {decision_wait: 30s, policies: []}}"
		bare    = "{p: {policies: []}}"
		rules   = "{p: {rules: []}}"
		waits   = "{p: {decision_wait: 5s, revive_window: 0s}}"
		other   = "{q: {decision_wait: 5s, policies: []}}"
	)
	const wait, root, revive = "decision_wait", "decision_wait_after_root_received", "revive_window"
	for _, c := range []struct {
		files []string
		want  []Wait
	}{
		{nil, nil},
		{[]string{other}, nil},
		{[]string{shipped}, nil},
		{[]string{shipped, other}, nil},
		{[]string{shipped, waits}, nil},
		{[]string{contrib}, []Wait{{root, "0", ""}, {revive, "0", ""}}},
		{[]string{shipped, contrib}, []Wait{{root, "1", "0"}, {revive, "1", "0"}}},
		{[]string{shipped, rules}, []Wait{{wait, "1", "0"}, {root, "1", "0"}, {revive, "1", "0"}}},
		{[]string{waits, bare}, []Wait{{wait, "1", "0"}, {root, "1", ""}, {revive, "1", "0"}}},
		{[]string{shipped, waits, contrib}, []Wait{{root, "2", "0"}, {revive, "2", "1"}}},
		{[]string{shipped, contrib, waits}, []Wait{{root, "1", "0"}}},
		{[]string{shipped, contrib, other, waits}, []Wait{{root, "1", "0"}}},
	} {
		var locations []Location
		for i, file := range c.files {
			locations = append(locations, Location{Name: string(rune('0' + i)), Conf: conf(t, file)})
		}
		require.Equal(t, c.want, Inherited(locations, "p"), "%v", c.files)
	}
}
