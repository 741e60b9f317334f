package tracestate

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	for state, want := range map[string]Values{
		"":                                {None, None, true},
		"foo=1,bar=2":                     {None, None, true},
		"ot=th:0":                         {0, None, true},
		"ot=th:8":                         {0x80000000000000, None, true},
		"ot=th:fd70a4":                    {0xfd70a400000000, None, true},
		"ot=th:ffffffffffffff":            {MaxAdjustedCount - 1, None, true},
		"ot=th:000000000000ff":            {255, None, true},
		"ot=th:FD":                        {0xfd000000000000, None, true},
		"ot=rv:00000000000001":            {None, 1, true},
		"ot=rv:0123456789abcd;th:8;k1:13": {0x80000000000000, 0x0123456789abcd, true},
		"ot=k1:;th:c":                     {0xc0000000000000, None, true},
		"foo=1 , ot=th:c\t,bar=2":         {0xc0000000000000, None, true},

		// Entries of other vendors are not ours, whatever they contain.
		"foo=th:8":      {None, None, true},
		"xot=th:8":      {None, None, true},
		"ot@v=th:8":     {None, None, true},
		"foo=ot=th:8":   {None, None, true},
		"foo=1;ot=th:8": {None, None, true},

		// Malformed values are absent.
		"ot=":                         {None, None, false},
		"ot=th:":                      {None, None, false},
		"ot=th:g":                     {None, None, false},
		"ot=th:-1":                    {None, None, false},
		"ot=th: 8":                    {None, None, false},
		"ot=th:000000000000000":       {None, None, false},
		"ot=rv:1":                     {None, None, false},
		"ot=rv:123456789012345":       {None, None, false},
		"ot=rv:0123456789abcx;th:4":   {0x40000000000000, None, false},
		"ot=th:4;rv":                  {0x40000000000000, None, false},
		"ot=th:4;;k:1":                {0x40000000000000, None, false},
		"ot=th:4;":                    {0x40000000000000, None, false},
		"ot=th:4;K:1":                 {0x40000000000000, None, false},
		"ot=th:4;k:a b":               {0x40000000000000, None, false},
		"ot=th:4;k:" + repeat(252):    {0x40000000000000, None, false},
		"ot=a:;th:4;k:" + repeat(240): {0x40000000000000, None, true},

		// Duplicates.
		"ot=th:4;th:8":                           {0x80000000000000, None, false},
		"ot=th:4;th:x":                           {None, None, false},
		"ot=rv:00000000000001;rv:00000000000002": {None, 2, false},
		"ot=th:4,ot=th:8":                        {0x40000000000000, None, false},
		"ot=th:4,a=1,ot=":                        {0x40000000000000, None, false},
	} {
		require.Equal(t, want, Parse(state), state)
		require.Equal(t, want, Parse([]byte(state)), state)
	}
}

func repeat(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = 'x'
	}
	return string(b)
}

func TestResolve(t *testing.T) {
	id := [16]byte{0: 0xff, 8: 0xff, 9: 0x01, 15: 0x02}
	require.Equal(t, uint64(0x01000000000002), Resolve(id, Parse("").Randomness))
	require.Equal(t, uint64(0x01000000000002), Resolve(id, Parse("foo=1").Randomness))
	require.Equal(t, uint64(0x01000000000002), Resolve(id, Parse([]byte("ot=th:8;rv:12")).Randomness))
	require.Equal(t, uint64(0xabcdefabcdefab), Resolve(id, Parse([]byte("ot=th:8;rv:abcdefabcdefab")).Randomness))
	require.Equal(t, uint64(7), Resolve(id, 7))
}

func TestAdjustedCount(t *testing.T) {
	low, high := [16]byte{15: 1}, [16]byte{9: 0xff}
	for _, c := range []struct {
		state         string
		ofLow, ofHigh float64
	}{
		{"", 1, 1},
		{"foo=1", 1, 1},
		{"ot=th:0", 1, 1},
		{"ot=th:8", 1, 2},
		{"ot=th:c", 1, 4},
		{"ot=th:zz", 1, 1},
		{"ot=rv:80000000000000;th:8", 2, 2},
		{"ot=rv:7fffffffffffff;th:8", 1, 1},
		{"ot=rv:ffffffffffffff;th:ffffffffffffff", 1 << 56, 1 << 56},
	} {
		require.Equal(t, c.ofLow, AdjustedCountOf(low, c.state), c.state)
		require.Equal(t, c.ofHigh, AdjustedCountOf(high, []byte(c.state)), c.state)
	}
}

func TestReadingAllocatesNothing(t *testing.T) {
	id := [16]byte{15: 1}
	state := []byte("congo=t61rcWkgMzE,ot=rv:0123456789abcd;th:8")
	require.Zero(t, testing.AllocsPerRun(100, func() {
		AdjustedCountOf(id, state)
		Resolve(id, Parse(state).Randomness)
	}))
}

func BenchmarkAdjustedCount(b *testing.B) {
	for name, state := range map[string]string{
		"none": "", "foreign": "congo=t61rcWkgMzE", "ot": "ot=th:8", "both": "congo=t61rcWkgMzE,ot=rv:0123456789abcd;th:8",
	} {
		b.Run(name, func(b *testing.B) {
			state := []byte(state)
			b.ReportAllocs()
			for b.Loop() {
				AdjustedCountOf([16]byte{15: 1}, state)
			}
		})
	}
}

// A threshold that the randomness does not pass counts as absent, except in Parse.
func TestInconsistentThreshold(t *testing.T) {
	low := [16]byte{15: 1}
	for state, want := range map[string]float64{
		"ot=th:8":                       1,
		"ot=th:8;rv:80000000000000":     2,
		"ot=th:8;rv:7fffffffffffff":     1,
		"ot=th:8;rv:8":                  1, // a malformed rv is absent
		"ot=th:8;rv:7fffffffffffff,a=1": 1,
	} {
		require.InDelta(t, want, AdjustedCountOf(low, state), 0, state)
	}
	require.Equal(t, uint64(1)<<55, Parse("ot=th:8;rv:00000000000001").Threshold)
}
