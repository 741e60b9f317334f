package trial

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/answer"
)

// Each case is the sequence of answers to the same traces, and the judgement after each. A letter is an answer: accepted, retry,
// data, large, gateway, either. "+" means that the destination accepts others, "-" that a minute passes.
func TestJudge(t *testing.T) {
	classes := map[rune]answer.Class{
		'a': answer.Accepted, 'r': answer.Retry, 'd': answer.Data, 'l': answer.TooLarge, 'g': answer.Gateway, 'e': answer.Either,
	}
	names := map[Verdict]string{Delivered: "delivered", Again: ".", Halve: "halve", Park: "aside", Apart: "apart", Refused: "refused"}
	for _, tc := range []struct{ answers, several, one string }{
		{"a", "delivered", "delivered"},
		{"rrra", ". . . delivered", ". . . delivered"},
		{"d", "halve", "refused"},
		{"+d", "halve", "refused"},
		{"l", "halve", "refused"},
		{"+rrrrrrr", ". . . . . . .", ". . . . . . ."}, // acceptances before the first answer do not count
		{"r+rrrr", ". . . . halve", ". aside aside aside apart"},
		{"rrrrr+r", ". . . . . halve", ". . . . . apart"},
		{"rrrr+-rr", ". . . . . .", ". . . . . ."},
		{"r+rerr", ". . . . .", ". aside . aside aside"},
		{"r+rgrrr", ". . . . . halve", ". aside . aside aside apart"},
		{"+eeeee", ". . . . .", ". . . . ."},
		{"e+ee", ". . halve", ". aside refused"},
		{"eee+e", ". . . halve", ". . . refused"},
		{"ee+ree+e", ". . . . . halve", ". . . . . refused"},
		{"ee+gee+e", ". . . . . halve", ". . . . . refused"},
		{"eee+-e", ". . . .", ". . . ."},
		{"g+gggg", ". . . . .", ". . . . ."},
		{"ggd", ". . halve", ". . refused"},
	} {
		for _, several := range []bool{true, false} {
			var tr Trial
			a := Acceptance{Count: 7, Recent: true}
			var got []string
			for _, c := range tc.answers {
				switch c {
				case '+':
					a.Count++
				case '-':
					a.Recent = false
				default:
					got = append(got, names[tr.Judge(classes[c], several, a)])
				}
			}
			want := tc.one
			if several {
				want = tc.several
			}
			require.Equal(t, want, strings.Join(got, " "), "%s, several: %v", tc.answers, several)
		}
	}
}

// Half of the strikes of several traces count for each half, but none for a single trace. Only acceptances after the split
// count.
func TestTrialAfterHalving(t *testing.T) {
	var tr Trial
	a := Acceptance{Count: 1, Recent: true}
	for range maxRetries {
		require.False(t, tr.Suspect(true))
		tr.Judge(answer.Retry, true, a)
	}
	require.True(t, tr.Stuck())
	require.False(t, tr.OthersAccepted(a))
	a.Count++
	require.True(t, tr.OthersAccepted(a))

	half, other := tr.Half(true, a), tr.Half(true, a)
	require.False(t, half.Suspect(true))
	require.Equal(t, Again, half.Judge(answer.Retry, true, a))
	require.True(t, half.Suspect(true))
	one := tr.Half(false, a)
	require.False(t, one.Suspect(false))
	require.Equal(t, Again, one.Judge(answer.Either, false, a))
	require.True(t, one.Suspect(false))
	require.False(t, one.Stuck())

	a.Count++
	require.Equal(t, Halve, other.Judge(answer.Retry, true, a))
	require.Equal(t, Park, one.Judge(answer.Either, false, a))
	require.Equal(t, Refused, one.Judge(answer.Either, false, a))
	one = tr.Half(false, Acceptance{Count: 2})
	require.Equal(t, Park, one.Judge(answer.Retry, false, a), "the other half was accepted")
}
