package answer_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/answer"
)

// FuzzFromHTTP reads arbitrary answers of a backend, a webhook's receiver or a proxy: the message is short and printable, and
// only a bounded part of the body is read.
func FuzzFromHTTP(f *testing.F) {
	f.Add(503, "text/plain", "busy", "120", "", 1)
	f.Add(400, "application/x-protobuf", "\x08\x03\x12\x03odd", "", "", 1)
	f.Add(400, "application/json", `{"code":3,"message":"odd"}`, "-1", "Thu, 26 Nov 2026 10:00:00 GMT", 9000)
	f.Add(200, "", "", "", "", 1)
	f.Add(-1, "text/html; charset=\xff", "<html>", "99999999999999999999", "x", 3)
	f.Fuzz(func(t *testing.T, status int, contentType, body, after, date string, times int) {
		long := strings.Repeat(body, max(1, min(times, 1<<20/max(1, len(body)))))
		read := &counted{r: strings.NewReader(long)}
		e := answer.FromHTTP(&http.Response{
			StatusCode: status, Body: io.NopCloser(read), Header: http.Header{"Content-Type": {contentType}, "Retry-After": {after}, "Date": {date}},
		})
		if e == nil {
			require.True(t, status >= 200 && status <= 299)
			return
		}
		require.LessOrEqual(t, read.n, 65<<10)
		require.LessOrEqual(t, len(e.Text), 512)
		require.True(t, utf8.ValidString(e.Text))
		require.NotContains(t, e.Text, "\n")
		require.GreaterOrEqual(t, e.Delay.Nanoseconds(), int64(0))
		require.NotEmpty(t, e.Class.String())
		require.NotEmpty(t, e.Error())
	})
}

// counted counts the bytes read.
type counted struct {
	r io.Reader
	n int
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += n
	return n, err
}
