package gate

import (
	"context"
	"maps"
	"net/http"
)

// Serve calls next while the turn has its slot, compression included, and sends the answer after returning the slot: a slow client
// holds no slot. Until it is sent, the turn keeps the memory of the answer.
//
// If fail is set, the answer takes memory of the gate as it grows, besides what next reserves; if there is none, fail answers instead,
// with the error of Turn.Grow. If fail is nil, the memory that next reserves is also for the answer.
func (t *Turn) Serve(w http.ResponseWriter, r *http.Request, next http.Handler, fail func(http.ResponseWriter, error)) {
	a := answer{header: w.Header().Clone(), turn: t, code: http.StatusOK, charged: fail != nil}
	t.serveApart(&a, r, next)
	t.Computed()
	if a.err != nil {
		a.parts, t.answer = nil, 0
		t.Keep(0)
		fail(w, a.err)
		return
	}
	t.Keep(a.size)
	header := w.Header()
	clear(header)
	maps.Copy(header, a.header)
	w.WriteHeader(a.code)
	for _, part := range a.parts {
		if _, err := w.Write(part); err != nil {
			return // the client has gone
		}
	}
}

// serveApart calls next on a thread with lower priority.
func (t *Turn) serveApart(w http.ResponseWriter, r *http.Request, next http.Handler) {
	defer t.gate.settle()
	apart(func() { next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), key{}, t))) })
}

// key is the context key of a Turn.
type key struct{}

// Reserve is Turn.Reserve of the context's turn; it returns a *Large for more than the gate has. Without a turn it does nothing.
// The memory of the answer so far stays reserved besides.
func Reserve(ctx context.Context, bytes int64) error {
	t, ok := ctx.Value(key{}).(*Turn)
	if !ok {
		return nil
	}
	bytes += t.answer
	if bytes > t.gate.settings.Memory {
		return &Large{bytes, t.gate.settings.Memory}
	}
	return t.Reserve(ctx, bytes)
}

// An answer is kept in parts, so that growing moves nothing. Most answers are short: each part is twice as large as the one
// before.
const (
	firstPart = 4 << 10
	mostPart  = 64 << 10
)

// answer is an answer that was not sent yet. It has no other methods, so that nothing can flush it or take the
// connection over.
type answer struct {
	header  http.Header
	turn    *Turn
	charged bool // whether the turn pays for it
	code    int
	parts   [][]byte
	size    int64 // of the parts
	err     error // of reserving memory for parts
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(code int) { a.code = code }

func (a *answer) Write(body []byte) (int, error) { return write(a, body) }

func (a *answer) WriteString(body string) (int, error) { return write(a, body) }

func write[T string | []byte](a *answer, body T) (n int, err error) {
	for n < len(body) && a.err == nil {
		last := len(a.parts) - 1
		if last < 0 || len(a.parts[last]) == cap(a.parts[last]) {
			a.grow()
			continue
		}
		part := a.parts[last]
		copied := copy(part[len(part):cap(part)], body[n:])
		a.parts[last] = part[:len(part)+copied]
		n += copied
	}
	return n, a.err
}

// grow adds an empty part.
func (a *answer) grow() {
	part := int64(firstPart)
	if last := len(a.parts) - 1; last >= 0 {
		part = min(2*int64(cap(a.parts[last])), mostPart)
	}
	if a.charged {
		if a.err = a.turn.Grow(part); a.err != nil {
			return
		}
		a.turn.answer += part
	}
	a.size += part
	a.parts = append(a.parts, make([]byte, 0, part))
}
