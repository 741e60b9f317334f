package alert_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/alert"
)

// Each receiver gets a consistent sequence: a firing first, then escalations, then one resolution. After each minute its last
// notification describes the alert's present state.
func TestNotificationSequenceIsConsistent(t *testing.T) {
	words := []string{"-", "-", "short", "long", "ticket", "page", "page+ticket"}
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		o := objective()
		o.KeepFiringFor = time.Duration(rnd.IntN(4)) * time.Minute
		var a alert.Alert
		believes := map[string]slo.Severity{} // receiver → the severity that it last received
		seq, word := uint64(0), "-"
		for minute := range 300 {
			if rnd.IntN(3) == 0 {
				word = words[rnd.IntN(len(words))]
			}
			a.Step(assessment(o, t0.Add(time.Duration(minute)*time.Minute), word), "")
			notices := a.Notices(routes, nil)
			if len(notices) > 0 {
				require.Equal(t, seq+1, a.Seq)
			}
			seq = a.Seq
			for _, n := range notices {
				switch n.Kind {
				case alert.Fired:
					require.Empty(t, believes[n.Receiver], "told twice")
					believes[n.Receiver] = n.Severity
				case alert.Escalated:
					require.NotEmpty(t, believes[n.Receiver], "escalated before it fired")
					require.Equal(t, slo.Page, n.Severity)
					believes[n.Receiver] = n.Severity
				case alert.Ended:
					require.NotEmpty(t, believes[n.Receiver], "resolved before it fired")
					delete(believes, n.Receiver)
				default:
					t.Fatalf("nobody should be told that an alert %s", n.Kind)
				}
			}
			for _, r := range routes {
				wanted := a.State == alert.Firing && slices.Contains(r.Severities, a.Severity)
				switch {
				case wanted:
					require.NotEmpty(t, believes[r.Receiver])
					if a.Severity == slo.Page {
						require.Equal(t, slo.Page, believes[r.Receiver])
					}
				case r.SendResolved:
					require.Empty(t, believes[r.Receiver])
				default: // without send_resolved it gets no resolution
					delete(believes, r.Receiver)
				}
			}
		}
	}
}

// The clone of an alert shares nothing with it.
func TestClone(t *testing.T) {
	o := objective()
	var a alert.Alert
	a.Step(assessment(o, t0, "page"), "")
	a.Notices(routes, nil)
	b := a.Clone()
	require.Equal(t, a, b)
	b.Labels["severity"], b.Annotations["summary"], b.Notified["all"] = "x", "x", "x"
	b.LastActive[slo.Page] = t0.Add(time.Hour)
	require.Equal(t, "page", a.Labels["severity"])
	require.NotEqual(t, "x", a.Annotations["summary"])
	require.Equal(t, slo.Page, a.Notified["all"])
	require.Equal(t, t0, a.LastActive[slo.Page])
}
