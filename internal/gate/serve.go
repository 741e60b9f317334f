package gate

import (
	"bytes"
	"context"
	"net/http"
)

// Serve has next answer while the turn has its slot, compression in next included, and sends the answer once the slot is given back: a
// client that reads slowly keeps none. Of the memory it keeps what the answer takes.
func (t *Turn) Serve(w http.ResponseWriter, r *http.Request, next http.Handler) {
	answer := buffer{ResponseWriter: w, code: http.StatusOK}
	apart(func() { next.ServeHTTP(&answer, r.WithContext(context.WithValue(r.Context(), key{}, t))) })
	t.Computed()
	t.Keep(int64(answer.body.Len()))
	w.WriteHeader(answer.code)
	_, _ = w.Write(answer.body.Bytes()) // the client has gone, and nobody is left to tell
}

// key is that of a Turn in a context.
type key struct{}

// Reserve is Turn.Reserve of the turn whose handler the context is of; without one it does nothing.
func Reserve(ctx context.Context, bytes int64) error {
	if t, ok := ctx.Value(key{}).(*Turn); ok {
		return t.Reserve(ctx, bytes)
	}
	return nil
}

// buffer is an answer that is not sent yet. It has no other methods, so nothing can flush it or take the connection over.
type buffer struct {
	http.ResponseWriter // for its header
	code                int
	body                bytes.Buffer
}

func (b *buffer) WriteHeader(code int)              { b.code = code }
func (b *buffer) Write(body []byte) (int, error)    { return b.body.Write(body) }
func (b *buffer) WriteString(s string) (int, error) { return b.body.WriteString(s) }
