package tailsampling

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNamesKeepTheirNumbers(t *testing.T) {
	known := newNames()
	number := func(n name) int32 {
		got, err := known.number(n)
		require.NoError(t, err)
		return got
	}
	require.Equal(t, int32(noPolicy), number(name{}))
	errors, limit, sub := number(name{policy: "errors"}), number(name{policy: "limit"}), number(name{"limit", "fast"})
	require.NotEqual(t, limit, sub)
	require.Equal(t, errors, number(name{policy: "errors"}))
	require.Equal(t, name{"limit", "fast"}, known.of(sub))

	written := known.strings()
	for number, read := range written {
		require.Equal(t, known.of(int32(number)), readName(read))
	}
	number(name{policy: "another"})
	require.Equal(t, written, known.strings()[:len(written)], "names are only added")
}

func TestNamesAreBounded(t *testing.T) {
	known := newNames()
	for i := range mostNames - 1 {
		_, err := known.number(name{policy: strconv.Itoa(i)})
		require.NoError(t, err)
	}
	_, err := known.number(name{policy: "one more"})
	require.ErrorContains(t, err, "restart")
	last, err := known.number(name{policy: strconv.Itoa(mostNames - 2)})
	require.NoError(t, err, "what is known stays known")
	require.Equal(t, int32(mostNames-1), last)
}
