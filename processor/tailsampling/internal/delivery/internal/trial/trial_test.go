package trial

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/answer"
)

// Each case is the answers that the same traces draw one after the other, and what becomes of them after each. A letter is
// an answer: accepted, retry, data, large, gateway, either. In capitals: the destination accepted others recently.
func TestJudge(t *testing.T) {
	classes := map[rune]answer.Class{
		'a': answer.Accepted, 'r': answer.Retry, 'd': answer.Data, 'l': answer.TooLarge, 'g': answer.Gateway, 'e': answer.Either,
	}
	names := map[Verdict]string{Delivered: "delivered", Again: ".", Halve: "halve", Apart: "apart", Refused: "refused"}
	for _, tc := range []struct{ answers, several, one string }{
		{"a", "delivered", "delivered"},
		{"rrra", ". . . delivered", ". . . delivered"},
		{"d", "halve", "refused"},
		{"D", "halve", "refused"},
		{"l", "halve", "refused"},
		{"RRRRR", ". . . . halve", ". . . . apart"},
		{"rrrrR", ". . . . halve", ". . . . apart"},
		{"rrrrrrrrr", ". . . . . . . . .", ". . . . . . . . ."},
		{"rrrrrrR", ". . . . . . halve", ". . . . . . apart"},
		{"RRERR", ". . . . .", ". . . . ."},
		{"RRgRRR", ". . . . . halve", ". . . . . apart"},
		{"EEE", ". . halve", ". . refused"},
		{"eee", ". . halve", ". . ."},
		{"EEREEE", ". . . . . halve", ". . . . . refused"},
		{"EEgEEE", ". . . . . halve", ". . . . . refused"},
		{"eeeeE", ". . halve halve halve", ". . . . refused"},
		{"GGGGGGGGG", ". . . . . . . . .", ". . . . . . . . ."},
		{"GGGGGGd", ". . . . . . halve", ". . . . . . refused"},
	} {
		for _, several := range []bool{true, false} {
			var tr Trial
			var got []string
			for _, c := range tc.answers {
				lower := []rune(strings.ToLower(string(c)))[0]
				got = append(got, names[tr.Judge(classes[lower], several, c != lower)])
			}
			want := tc.one
			if several {
				want = tc.several
			}
			require.Equal(t, want, strings.Join(got, " "), "%s, several: %v", tc.answers, several)
		}
	}
}

// What several drew together is the suspicion of half of them, but not of one alone.
func TestTrialOfAHalf(t *testing.T) {
	var tr Trial
	for range maxRetries {
		require.False(t, tr.Stuck())
		tr.Judge(answer.Retry, true, false)
	}
	require.True(t, tr.Stuck())
	half := tr.Half(true)
	require.False(t, half.Stuck())
	require.Equal(t, Halve, half.Judge(answer.Retry, true, true))
	require.Equal(t, Trial{}, tr.Half(false))
	one := tr.Half(false)
	require.Equal(t, Again, one.Judge(answer.Either, false, true))
}
