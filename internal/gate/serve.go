package gate

import (
	"context"
	"maps"
	"net/http"
)

// Serve has next answer while the turn has its slot, compression in next included, and sends the answer once the slot is given back: a
// client that reads slowly keeps none. While it is sent the turn keeps the memory that the answer takes.
//
// With a fail the answer takes memory of the gate as it grows, beside what next reserves; where there is none for it, fail answers in
// its place, with the error of Turn.Grow. With nil, what next reserves is for the answer too.
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
			return // the client has gone, and nobody is left to tell
		}
	}
}

// serveApart has next answer on a thread that stands back.
func (t *Turn) serveApart(w http.ResponseWriter, r *http.Request, next http.Handler) {
	defer t.gate.settle()
	apart(func() { next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), key{}, t))) })
}

// key is that of a Turn in a context.
type key struct{}

// Reserve is Turn.Reserve of the turn whose handler the context is of, and a *Large where that is more than the gate has; without a
// turn it does nothing. What is in the answer already stays reserved beside it.
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

// An answer is kept in parts, so that nothing of it moves while it grows. Most answers are short: parts double from the first on.
const (
	firstPart = 4 << 10
	mostPart  = 64 << 10
)

// answer is one that is not sent yet. It has no other methods, so nothing can flush it or take the connection over.
type answer struct {
	header  http.Header
	turn    *Turn
	charged bool // to the turn
	code    int
	parts   [][]byte
	size    int64 // of the parts
	err     error // of taking memory for them
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
