package answer

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/slowburn/slowburn/internal/clock"
)

// httpClasses are the statuses whose class differs from their hundred's: see httpClass.
var httpClasses = map[int]Class{
	http.StatusRequestTimeout:     Retry,
	http.StatusTooEarly:           Retry,
	http.StatusTooManyRequests:    Retry,
	http.StatusBadGateway:         Retry,
	http.StatusServiceUnavailable: Retry,
	http.StatusGatewayTimeout:     Retry,
	// The destination is full, or a proxy (with Cloudflare's numbers) did not reach it.
	http.StatusInsufficientStorage: Retry,
	520:                            Retry, 521: Retry, 522: Retry, 523: Retry, 524: Retry, 525: Retry, 526: Retry, 527: Retry, 529: Retry, 530: Retry,

	http.StatusRequestEntityTooLarge: TooLarge,

	// About the sender, the URL, or the protocol: the same for every request.
	http.StatusUnauthorized:                  Gateway,
	http.StatusPaymentRequired:               Gateway,
	http.StatusForbidden:                     Gateway,
	http.StatusNotFound:                      Gateway,
	http.StatusMethodNotAllowed:              Gateway,
	http.StatusNotAcceptable:                 Gateway,
	http.StatusProxyAuthRequired:             Gateway,
	http.StatusGone:                          Gateway,
	http.StatusLengthRequired:                Gateway,
	http.StatusUnsupportedMediaType:          Gateway,
	http.StatusMisdirectedRequest:            Gateway,
	http.StatusUpgradeRequired:               Gateway,
	http.StatusRequestHeaderFieldsTooLarge:   Gateway,
	http.StatusUnavailableForLegalReasons:    Gateway,
	http.StatusNotImplemented:                Gateway,
	http.StatusHTTPVersionNotSupported:       Gateway,
	http.StatusNetworkAuthenticationRequired: Gateway,
}

func httpClass(status int) Class {
	if c, known := httpClasses[status]; known {
		return c
	}
	switch {
	case status >= 200 && status <= 299:
		return Accepted
	case status >= 400 && status <= 499:
		return Data
	case status >= 500:
		return Either
	}
	return Gateway // elsewhere
}

// maxBody is the number of bytes of a response that are read.
const maxBody = 64 << 10

// FromHTTP interprets a response, and reads its body; nil for 2xx, whose body it does not read.
func FromHTTP(resp *http.Response) *Error {
	class := httpClass(resp.StatusCode)
	if class == Accepted {
		return nil
	}
	e := &Error{Class: class, Code: "HTTP " + strconv.Itoa(resp.StatusCode)}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	if err == nil {
		e.Text = Words(bodyText(resp.Header.Get("Content-Type"), body))
	}
	if e.Text == "" {
		e.Text = http.StatusText(resp.StatusCode)
	}
	if class == Retry {
		e.Delay = retryAfter(resp.Header)
	}
	return e
}

// bodyText returns the message in a body: in OTLP a google.rpc.Status in the encoding of the request, otherwise any text.
func bodyText(contentType string, body []byte) string {
	mediaType, _, _ := mime.ParseMediaType(contentType)
	var s status.Status
	switch mediaType {
	case "application/x-protobuf", "application/protobuf":
		if proto.Unmarshal(body, &s) == nil {
			return s.GetMessage()
		}
		return ""
	case "application/json":
		if (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(body, &s) == nil && s.GetMessage() != "" {
			return s.GetMessage()
		}
	case "text/html", "application/xhtml+xml":
		return "" // a page for people, probably of a proxy
	}
	return string(body)
}

// retryAfter reads Retry-After: seconds, or a date by the response's own clock.
func retryAfter(h http.Header) time.Duration {
	text := strings.TrimSpace(h.Get("Retry-After"))
	if seconds, err := strconv.ParseInt(text, 10, 32); err == nil {
		return max(0, time.Duration(seconds)*time.Second)
	}
	until, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		now = clock.Now()
	}
	return max(0, until.Sub(now))
}

// FromNetwork interprets an error without an answer.
func FromNetwork(err error) *Error {
	var u *url.Error
	text := err.Error()
	if errors.As(err, &u) {
		text = u.Err.Error() // without the address, which may contain a secret
	}
	return &Error{Class: Retry, Text: Words(text), Cause: err}
}

// maxWords is the largest length of a destination's message, in bytes.
const maxWords = 512

// Words makes a foreign text presentable: UTF-8, one line, limited length.
func Words(text string) string {
	const more = "…"
	if len(text) > 2*maxWords {
		text = text[:2*maxWords]
	}
	text = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(text, "\uFFFD"), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r)
	}), " ")
	if len(text) <= maxWords {
		return text
	}
	return strings.ToValidUTF8(text[:maxWords-len(more)], "") + more
}
