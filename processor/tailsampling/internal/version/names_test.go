package version

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNamesKeepTheirNumbers(t *testing.T) {
	known := NewNames()
	number := func(n Name) int32 {
		got, err := known.Number(n)
		require.NoError(t, err)
		return got
	}
	require.Equal(t, int32(NoPolicy), number(Name{}))
	errors, limit, sub := number(Name{Policy: "errors"}), number(Name{Policy: "limit"}), number(Name{"limit", "fast"})
	require.NotEqual(t, limit, sub)
	require.Equal(t, errors, number(Name{Policy: "errors"}))
	require.Equal(t, Name{"limit", "fast"}, known.Of(sub))

	written := known.Strings()
	for number, read := range written {
		require.Equal(t, known.Of(int32(number)), ParseName(read))
	}
	number(Name{Policy: "another"})
	require.Equal(t, written, known.Strings()[:len(written)], "names are only added")
}

func TestNamesAreBounded(t *testing.T) {
	known := NewNames()
	for i := range maxNames - 1 {
		_, err := known.Number(Name{Policy: strconv.Itoa(i)})
		require.NoError(t, err)
	}
	_, err := known.Number(Name{Policy: "one more"})
	require.ErrorContains(t, err, "restart")
	last, err := known.Number(Name{Policy: strconv.Itoa(maxNames - 2)})
	require.NoError(t, err, "what is known stays known")
	require.Equal(t, int32(maxNames-1), last)
}
