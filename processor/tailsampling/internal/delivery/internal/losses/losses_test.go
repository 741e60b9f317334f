package losses

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/clock"
)

// A frequent message does not suppress the logging of another one.
func TestLimiter(t *testing.T) {
	var l Limiter
	var logged []string
	for second := range 25 {
		now := clock.Monotonic(0).Add(time.Duration(second) * time.Second)
		if l.Allow("often", now) {
			logged = append(logged, "often")
		}
		if second == 3 && l.Allow("seldom", now) {
			logged = append(logged, "seldom")
		}
	}
	require.Equal(t, []string{"often", "seldom", "often", "often"}, logged)
}

// Each lost trace is logged once, with its reason: the first at once, later ones every ten seconds, and the rest at the end.
func TestLosses(t *testing.T) {
	var l Losses
	at := func(s int) clock.Monotonic { return clock.Monotonic(0).Add(time.Duration(s) * time.Second) }
	require.Empty(t, l.Take(at(1), true))
	when, _ := l.Last()
	require.Zero(t, when)
	l.Add(DeliveryBudget, 3, at(1))
	l.Add(DeliveryBudget, 4, at(1))
	require.Equal(t, []Loss{{DeliveryBudget, 2, 7}}, l.Take(at(1), false))
	l.Add(DeliveryBudget, 1, at(2))
	l.Add(RefusalPatience, 5, at(2))
	require.Equal(t, []Loss{{RefusalPatience, 1, 5}}, l.Take(at(2), false))
	when, why := l.Last()
	require.Equal(t, at(2), when)
	require.Equal(t, RefusalPatience, why)
	require.Empty(t, l.Take(at(10), false))
	require.Equal(t, []Loss{{DeliveryBudget, 1, 1}}, l.Take(at(11), false))
	l.Add(DeliveryBudget, 1, at(12))
	require.Equal(t, []Loss{{DeliveryBudget, 1, 1}}, l.Take(at(12), true))
	require.Empty(t, l.Take(at(60), true))
}
