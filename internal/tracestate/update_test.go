package tracestate

import (
	"fmt"
	"strings"
	"testing"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/sampling"
	"github.com/stretchr/testify/require"
)

// id is of a trace whose randomness is c0000000000000.
var id = [16]byte{9: 0xc0}

func TestUpdate(t *testing.T) {
	const (
		half  uint64 = 0x80000000000000
		three uint64 = 0xc0000000000000 // three quarters
		more  uint64 = 0xd0000000000000 // does not pass
	)
	for _, c := range []struct {
		what      string
		state     string
		rv        uint64
		threshold uint64
		want      string
		ok        bool
	}{
		{"first", "", None, 0, "ot=th:0", true},
		{"first by chance", "", None, half, "ot=th:8", true},
		{"just passed", "", None, three, "ot=th:c", true},
		{"all digits", "", None, 0x123456789abcde, "ot=th:123456789abcde", true},
		{"zeros in front", "", None, 0x00000000000100, "ot=th:000000000001", true},
		{"beside others", "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7", None, half,
			"ot=th:8,congo=t61rcWkgMzE,rojo=00f067aa0ba902b7", true},

		{"upstream less strict", "ot=th:4", None, half, "ot=th:8", true},
		{"upstream stricter", "ot=th:c", None, half, "ot=th:c", true},
		{"upstream the same", "ot=th:8", None, half, "ot=th:8", true},
		{"unchanged stays where it is", "a=1 ,ot=k:1;th:c", None, half, "a=1 ,ot=k:1;th:c", true},
		{"changed goes to the front", "a=1, ot=k:1;th:4 ,b=2", None, half, "ot=th:8;k:1,a=1,b=2", true},
		{"same value in other words", "ot=th:800", None, half, "ot=th:800", true},

		{"own rv stays", "ot=rv:ffffffffffffff", None, more, "ot=rv:ffffffffffffff;th:d", true},
		{"own rv counts, not the trace's", "ot=rv:ffffffffffffff", 5, more, "ot=rv:ffffffffffffff;th:d", true},
		{"the trace's rv is passed on", "a=1", 0xffffffffffffff, more, "ot=rv:ffffffffffffff;th:d,a=1", true},
		{"and with a th that was right already", "ot=th:d", 0xffffffffffffff, half, "ot=rv:ffffffffffffff;th:d", true},

		{"does not pass", "", None, more, "", false},
		{"does not pass, others stay", "b=2,a=1", None, more, "b=2,a=1", false},
		{"own rv does not pass", "ot=rv:00000000000005", None, half, "ot=rv:00000000000005", false},
		{"a weight that is unknown is not told", "a=1,ot=th:8", None, more, "a=1", false},
		{"nor what else was there lost", "a=1,ot=th:8;k:1", None, more, "ot=k:1,a=1", false},

		{"upstream inconsistent", "ot=th:d", None, half, "ot=th:8", true},
		{"upstream inconsistent with its rv", "ot=rv:00000000000005;th:8", None, 0, "ot=rv:00000000000005;th:0", true},
		{"th malformed", "ot=th:xyz;k:1", None, half, "ot=th:8;k:1", true},
		{"th too long", "ot=th:000000000000000", None, half, "ot=th:8", true},
		{"rv malformed", "ot=rv:12;th:4", None, half, "ot=th:8", true},
		{"rv malformed, th right", "ot=rv:12;th:8", None, half, "ot=th:8", true},
		{"entry malformed", "ot=garbage,a=1", None, half, "ot=th:8,a=1", true},
		{"entry empty", "ot=,a=1", None, half, "ot=th:8,a=1", true},
		{"th twice", "ot=th:8;th:8", None, half, "ot=th:8", true},
		{"entry twice", "ot=th:c,a=1,ot=th:4", None, half, "ot=th:c,a=1", true},
		{"foreign entries are not judged", "A b c,,=x, ,d=e", None, half, "ot=th:8,A b c,=x,d=e", true},
	} {
		t.Run(c.what, func(t *testing.T) {
			got, ok := Update(c.state, id, c.rv, c.threshold)
			require.Equal(t, c.want, got)
			require.Equal(t, c.ok, ok)
		})
	}
}

func TestUpdateKeepsLimits(t *testing.T) {
	var entries []string
	for i := range 32 {
		entries = append(entries, fmt.Sprintf("k%d=v", i))
	}
	got, ok := Update(strings.Join(entries, ","), id, None, 0)
	require.True(t, ok)
	require.Equal(t, "ot=th:0,"+strings.Join(entries[:31], ","), got)

	got, _ = Update("ot=th:4,"+strings.Join(entries[:31], ","), id, None, 0x80000000000000)
	require.Equal(t, "ot=th:8,"+strings.Join(entries[:31], ","), got)

	// A tracestate with too many entries leaves with 32, even if ours is unchanged, or absent.
	for len(entries) < 40 {
		entries = append(entries, fmt.Sprintf("k%d=v", len(entries)))
	}
	got, _ = Update("ot=th:8,"+strings.Join(entries, ","), id, None, 0x80000000000000)
	require.Equal(t, "ot=th:8,"+strings.Join(entries[:31], ","), got)
	got, _ = Update(strings.Join(entries, ",")+",ot=th:8", id, None, 0x80000000000000)
	require.Equal(t, "ot=th:8,"+strings.Join(entries[:31], ","), got)
	got, ok = Update(strings.Join(entries, ","), id, None, None)
	require.False(t, ok)
	require.Equal(t, strings.Join(entries[:32], ","), got)
	got, _ = Update(strings.Join(entries[:31], ",")+",ot=th:8", id, None, 0x80000000000000)
	require.Equal(t, strings.Join(entries[:31], ",")+",ot=th:8", got, "32 stay as they are")

	// 256 bytes hold th:8, a separator and 251 more.
	fits := "k:" + repeat(249)
	got, _ = Update("ot="+fits, id, None, 0x80000000000000)
	require.Equal(t, "ot=th:8;"+fits, got)
	got, _ = Update("ot=a:1;"+fits+"x;b:1", id, None, 0x80000000000000)
	require.Equal(t, "ot=th:8;a:1;b:1", got)
}

func FuzzUpdate(f *testing.F) {
	for _, s := range []string{
		"", "ot=th:8", "a=1,ot=rv:0123456789abcd;th:4;k:1,b@c=2", "ot=th:c,ot=th:4", "ot=;;,", "ot=th:FF, a = b ",
	} {
		f.Add(s, uint64(0xc0000000000000), uint64(0x80000000000000), false)
		f.Add(s, uint64(1), uint64(0xffffffffffffff), true)
	}
	f.Fuzz(func(t *testing.T, state string, random, threshold uint64, explicit bool) {
		random, threshold = random%MaxAdjustedCount, threshold%MaxAdjustedCount
		var id [16]byte
		for i := range 7 {
			id[15-i] = byte(random >> (8 * i))
		}
		rv := None
		if explicit {
			rv = ^random % MaxAdjustedCount
		}
		before := Parse(state)
		got, ok := Update(state, id, rv, threshold)
		after := Parse(got)
		r := Resolve(id, Parse(got).Randomness)

		require.Equal(t, before, Parse([]byte(state)))
		require.True(t, after.tidy, got)
		require.Equal(t, ok, after.Threshold != None, got)
		if ok {
			require.LessOrEqual(t, after.Threshold, r, got)
			require.GreaterOrEqual(t, after.Threshold, threshold, got)
		}
		switch {
		case before.Randomness != None:
			require.Equal(t, before.Randomness, after.Randomness)
		default:
			require.Equal(t, rv, after.Randomness)
		}
		if ok { // nothing to change
			again, _ := Update(got, id, rv, threshold)
			require.Equal(t, got, again)
		}
		agrees(t, state, before)
		agrees(t, got, after)
	})
}

// agrees compares Parse with the Collector's own package, on inputs that the latter reads.
func agrees(t *testing.T, state string, v Values) {
	w3c, err := sampling.NewW3CTraceState(state)
	if err != nil || strings.Count(state, "ot=") > 1 {
		return
	}
	th, ok := w3c.OTelValue().TValueThreshold()
	require.Equal(t, v.Threshold != None, ok, state)
	if ok {
		require.Equal(t, th.Unsigned(), v.Threshold, state)
	}
	r, ok := w3c.OTelValue().RValueRandomness()
	require.Equal(t, v.Randomness != None, ok, state)
	if ok {
		require.Equal(t, r.Unsigned(), v.Randomness, state)
	}
}

func BenchmarkUpdate(b *testing.B) {
	for name, state := range map[string]string{"none": "", "other": "congo=t61rcWkgMzE", "same": "ot=th:8"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Update(state, id, None, 0x80000000000000)
			}
		})
	}
}
