package gate_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/gate"
)

// TestAnswers: answers reserve memory as they grow, beside the request's own, and without room only the error is sent.
func TestAnswers(t *testing.T) {
	const memory = 1 << 20
	for name, c := range map[string]struct {
		reserve int64 // by the handler
		others  int64 // that another request has reserved
		answer  int
		charged bool
		want    error
	}{
		"small":                    {answer: 10, charged: true},
		"all there is":             {answer: memory - 64<<10, charged: true},
		"beside what is reserved":  {reserve: memory / 2, answer: memory/2 - 64<<10, charged: true},
		"too large":                {answer: memory + 1, charged: true, want: &gate.Large{}},
		"too large beside":         {reserve: memory / 2, answer: memory/2 + 1, charged: true, want: &gate.Large{}},
		"others have it":           {others: memory - 8<<10, answer: 64 << 10, charged: true, want: &gate.Busy{}},
		"what is reserved is more": {reserve: memory + 1, charged: true, want: &gate.Large{}},
		"not charged":              {reserve: memory, answer: memory},
	} {
		t.Run(name, func(t *testing.T) {
			g := gate.New(gate.Settings{Slots: gate.NewSlots(2), Timeout: time.Second, Memory: memory})
			other, err := g.Enter(t.Context())
			require.NoError(t, err)
			defer other.Leave()
			require.NoError(t, other.Reserve(t.Context(), c.others))
			turn, err := g.Enter(t.Context())
			require.NoError(t, err)
			var failed error
			fail := func(w http.ResponseWriter, err error) {
				failed = err
				w.WriteHeader(http.StatusTeapot)
			}
			h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("X-Answer", "yes")
				if err := gate.Reserve(r.Context(), c.reserve); err != nil {
					failed = err
					w.WriteHeader(http.StatusTeapot)
					return
				}
				for n := 0; n < c.answer; n += 1000 {
					if _, err := w.Write(bytes.Repeat([]byte("a"), min(1000, c.answer-n))); err != nil {
						break
					}
				}
			})
			if !c.charged {
				fail = nil
			}
			w := httptest.NewRecorder()
			turn.Serve(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil), h, fail)
			if c.want != nil {
				require.IsType(t, c.want, failed)
				assert.Equal(t, http.StatusTeapot, w.Code)
				assert.Zero(t, w.Body.Len())
				assert.Equal(t, c.others, g.State().Reserved)
			} else {
				require.NoError(t, failed)
				assert.Equal(t, http.StatusOK, w.Code)
				assert.Equal(t, strings.Repeat("a", c.answer), w.Body.String())
				assert.Equal(t, "yes", w.Header().Get("X-Answer"))
				assert.LessOrEqual(t, g.State().Reserved, c.others+int64(2*c.answer)+64<<10)
			}
			turn.Leave()
			assert.Equal(t, c.others, g.State().Reserved)
		})
	}
}
