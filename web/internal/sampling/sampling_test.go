package sampling

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/slowburn/slowburn/processor/tailsampling"
	"github.com/slowburn/slowburn/web/api"
	"github.com/slowburn/slowburn/web/internal/webtest"
)

var (
	_ Sampler = (*webtest.Sampler)(nil)
	_ Sampler = (*tailsampling.Sampler)(nil)

	_ Deliverer = (*webtest.Sampler)(nil)
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// knows is a sampler that has the trace in this state.
type knows struct {
	Sampler
	state string
}

func (k knows) Explain([16]byte) (tailsampling.Explanation, bool) {
	return tailsampling.Explanation{State: k.state}, k.state != ""
}

// A trace can pass any of several processors; a restarted one must not hide what another knows.
func TestMostInformativeAnswerWins(t *testing.T) {
	for want, states := range map[string][]string{
		tailsampling.StateDecided: {tailsampling.StateReading, tailsampling.StateFaded, tailsampling.StateDecided},
		tailsampling.StateFaded:   {tailsampling.StateFaded, "", tailsampling.StatePending},
		tailsampling.StatePending: {"", tailsampling.StatePending, tailsampling.StateReading},
		"":                        {"", ""},
	} {
		var samplers []Sampler
		for _, state := range states {
			samplers = append(samplers, knows{state: state})
		}
		best, known := bestKnown(samplers, [16]byte{1})
		assert.Equal(t, want, best.State)
		assert.Equal(t, want != "", known)
	}
}

// TestProblems sends requests that cannot be answered.
func TestProblems(t *testing.T) {
	sampling := func(s *webtest.Sampler) webtest.Running {
		r := webtest.Everything()
		r.Pipelines["tail_sampling"] = s
		return r
	}
	all, none := webtest.Everything(), webtest.Running{}
	for _, c := range []struct {
		world  webtest.Running
		target string
		status int
		detail string
	}{
		{none, "/api/sampling/v1/status", 404, "No tail_sampling processor is running: name one"},
		{none, "/api/sampling/v1/decisions/" + webtest.ExampleHex, 404, "No tail_sampling processor"},
		{all, "/api/sampling/v1/decisions/xyz", 400, `"xyz" is no trace ID`},
		{all, "/api/sampling/v1/decisions/" + webtest.GoneID.String(), 404, "it never came here, or its decision was so long ago"},
		{all, "/api/sampling/v1/decisions/" + webtest.PendingID.String(), 404, "is not decided yet: its first span came at 2026-01-31T12:00:00Z, and so far it has 3 spans of 900 bytes"},
		{all, "/api/sampling/v1/decisions/" + webtest.EarlyID.String(), 404, "being read back"},
		{all, "/api/sampling/v1/decisions/" + webtest.FadedID.String(), 404, `was dropped by the policy "noise" at 2026-01-31T12:00:00Z. More is not remembered`},
		{sampling(&webtest.Sampler{NoShadow: true}), "/api/sampling/v1/shadow", 404, "There is no shadow: add policies under tail_sampling::shadow"},
	} {
		t.Run(fmt.Sprint(c.status, c.target), func(t *testing.T) {
			webtest.RequireProblem(t, webtest.Get(t, c.world.Serve(Routes), c.target), c.status, c.detail)
		})
	}
}

// TestChangesWithoutSampler: the error names the missing component.
func TestChangesWithoutSampler(t *testing.T) {
	for _, action := range []string{"policies/reload", "shadow/promote", "refused/" + webtest.ExampleHex + "/retry"} {
		webtest.RequireProblem(t, webtest.Ask(t, webtest.Running{}.Serve(Routes), http.MethodPost, "/api/sampling/v1/"+action),
			http.StatusNotFound, "No tail_sampling processor")
	}
}

// TestPolicyChanges: a refused change says why.
func TestPolicyChanges(t *testing.T) {
	const reload, promote = "/api/sampling/v1/policies/reload", "/api/sampling/v1/shadow/promote"
	for _, action := range []string{reload, promote} {
		serve := func(err error) *httptest.ResponseRecorder {
			world := webtest.Everything()
			world.Pipelines["tail_sampling"] = &webtest.Sampler{Err: err}
			return webtest.Ask(t, world.Serve(Routes), http.MethodPost, action)
		}
		webtest.RequireProblem(t, serve(fmt.Errorf("%w, because policies[0] is wrong", tailsampling.ErrInvalid)),
			http.StatusUnprocessableEntity, "because policies[0] is wrong")
		webtest.RequireProblem(t, serve(tailsampling.ErrNoShadow), http.StatusConflict, "there is no shadow")
		webtest.RequireProblem(t, serve(tailsampling.ErrNoSource), http.StatusConflict, "restart it")
		webtest.RequireProblem(t, serve(errors.New("the span log is being read back")), http.StatusServiceUnavailable, "read back")
	}
	assert.Contains(t, webtest.Ask(t, webtest.Everything().Serve(Routes), http.MethodPost, promote).Body.String(),
		`"note":"The shadow's policies decide until the next reload or restart`)
}

// TestAnswers: answers contain what the processor reports.
func TestAnswers(t *testing.T) {
	h := webtest.Everything().Serve(Routes)
	fake := &webtest.Sampler{}
	shadow, _ := fake.Shadow()
	explained, _ := fake.Explain(webtest.KeptID)
	for target, want := range map[string]any{
		"status": api.SamplingStatusOf(fake.Status()), "cost": api.SamplingCostOf(fake.Cost()),
		"policies": api.PoliciesOf(fake.Policies()), "shadow": api.ShadowOf(shadow),
		"destinations":                         api.DestinationsOf(fake.Destinations()),
		"decisions/" + webtest.KeptID.String(): api.DecisionOf(explained),
	} {
		body, err := json.Marshal(want)
		require.NoError(t, err)
		assert.Equal(t, string(body), webtest.Get(t, h, "/api/sampling/v1/"+target).Body.String(), target)
	}
}
