package answer_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.uber.org/multierr"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/slowburn/slowburn/internal/answer"
)

func TestFromGRPC(t *testing.T) {
	for code, want := range map[codes.Code]answer.Error{
		codes.Canceled:           {Class: answer.Retry, Code: "CANCELLED"},
		codes.Unknown:            {Class: answer.Either, Code: "UNKNOWN"},
		codes.InvalidArgument:    {Class: answer.Data, Code: "INVALID_ARGUMENT"},
		codes.DeadlineExceeded:   {Class: answer.Retry, Code: "DEADLINE_EXCEEDED"},
		codes.NotFound:           {Class: answer.Gateway, Code: "NOT_FOUND"},
		codes.AlreadyExists:      {Class: answer.Data, Code: "ALREADY_EXISTS"},
		codes.PermissionDenied:   {Class: answer.Gateway, Code: "PERMISSION_DENIED"},
		codes.ResourceExhausted:  {Class: answer.TooLarge, Code: "RESOURCE_EXHAUSTED"},
		codes.FailedPrecondition: {Class: answer.Data, Code: "FAILED_PRECONDITION"},
		codes.Aborted:            {Class: answer.Retry, Code: "ABORTED"},
		codes.OutOfRange:         {Class: answer.Retry, Code: "OUT_OF_RANGE"},
		codes.Unimplemented:      {Class: answer.Gateway, Code: "UNIMPLEMENTED"},
		codes.Internal:           {Class: answer.Either, Code: "INTERNAL"},
		codes.Unavailable:        {Class: answer.Retry, Code: "UNAVAILABLE"},
		codes.DataLoss:           {Class: answer.Retry, Code: "DATA_LOSS"},
		codes.Unauthenticated:    {Class: answer.Gateway, Code: "UNAUTHENTICATED"},
		42:                       {Class: answer.Either, Code: "CODE_42"},
	} {
		err := fmt.Errorf("export: %w", status.Error(code, "words"))
		got := answer.FromGRPC(err)
		assert.Equal(t, want.Class, got.Class, code)
		assert.Equal(t, want.Code, got.Code)
		assert.Contains(t, got.Text, "words")
		assert.ErrorIs(t, got, err)
		assert.Same(t, got, answer.Of(fmt.Errorf("fan-out: %w", got)))
		assert.Equal(t, got.Class, answer.Of(err).Class, "another's exporter answers with the same")
	}
	assert.Nil(t, answer.FromGRPC(nil))
	assert.Nil(t, answer.Of(nil))
	lost := answer.FromGRPC(io.ErrUnexpectedEOF)
	assert.Equal(t, answer.Retry, lost.Class)
	assert.Equal(t, "unexpected EOF", lost.Error())
}

func TestRetryInfo(t *testing.T) {
	asked := func(code codes.Code, delay time.Duration) error {
		s, err := status.New(code, "busy").WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(delay)})
		require.NoError(t, err)
		return s.Err()
	}
	for _, test := range []struct {
		err   error
		class answer.Class
		delay time.Duration
	}{
		{asked(codes.ResourceExhausted, 7*time.Second), answer.Retry, 7 * time.Second},
		{asked(codes.ResourceExhausted, 0), answer.Retry, 0},
		{asked(codes.Unavailable, 3*time.Second), answer.Retry, 3 * time.Second},
		{asked(codes.Unavailable, -time.Second), answer.Retry, 0},
		{asked(codes.InvalidArgument, time.Second), answer.Data, 0},
	} {
		for _, e := range []*answer.Error{answer.FromGRPC(test.err), answer.Of(test.err)} {
			assert.Equal(t, test.class, e.Class)
			assert.Equal(t, test.delay, e.Delay)
		}
	}
}

func TestAboutSize(t *testing.T) {
	for text, want := range map[string]bool{
		"grpc: received message larger than max (5000000 vs. 4194304)":       true,
		"trying to send message larger than max (5000000 vs. 4194304)":       true,
		"grpc: received message after decompression larger than max 4194304": true,
		"RATE_LIMITED: ingestion rate limit exceeded":                        false,
		"quota": false,
	} {
		assert.Equal(t, want, answer.FromGRPC(status.Error(codes.ResourceExhausted, text)).AboutSize(), text)
	}
	assert.True(t, answer.FromHTTP(response(413, "", "", nil)).AboutSize())
	assert.False(t, answer.FromGRPC(status.Error(codes.Internal, "message larger than max")).AboutSize())
}

func TestFromHTTP(t *testing.T) {
	classes := map[answer.Class][]int{
		answer.Retry:    {408, 425, 429, 502, 503, 504, 507, 520, 524, 529},
		answer.TooLarge: {413},
		answer.Data:     {400, 409, 412, 418, 422, 423, 499},
		answer.Gateway:  {301, 302, 307, 308, 304, 401, 402, 403, 404, 405, 406, 407, 410, 411, 415, 421, 426, 431, 451, 501, 505, 511},
		answer.Either:   {500, 506, 508, 599},
	}
	for class, all := range classes {
		for _, code := range all {
			e := answer.FromHTTP(response(code, "text/plain", "words", nil))
			assert.Equal(t, class, e.Class, code)
			assert.Equal(t, fmt.Sprintf("HTTP %d: words", code), e.Error())
		}
	}
	for _, code := range []int{200, 202, 204} {
		assert.Nil(t, answer.FromHTTP(response(code, "", "words", nil)))
	}
}

func TestHTTPWords(t *testing.T) {
	s := &spb.Status{Code: 3, Message: "span 7 is\nodd"}
	binary, err := proto.Marshal(s)
	require.NoError(t, err)
	text, err := protojson.Marshal(s)
	require.NoError(t, err)
	for _, test := range []struct{ contentType, body, want string }{
		{"application/x-protobuf", string(binary), "span 7 is odd"},
		{"application/json; charset=utf-8", string(text), "span 7 is odd"},
		{"application/json", `{"error":"odd"}`, `{"error":"odd"}`},
		{"application/x-protobuf", "no protobuf", "Bad Request"},
		{"text/plain", " odd\x00\r\n span\xff ", "odd span\uFFFD"},
		{"text/html", "<html>nginx</html>", "Bad Request"},
		{"", "", "Bad Request"},
		{"what is / this", "odd", "odd"},
	} {
		assert.Equal(t, test.want, answer.FromHTTP(response(400, test.contentType, test.body, nil)).Text, test)
	}
	for _, long := range []string{strings.Repeat("é", 400), strings.Repeat("x", 100_000), strings.Repeat("é ", 5000)} {
		text := answer.FromHTTP(response(400, "text/plain", long, nil)).Text
		assert.LessOrEqual(t, len(text), 512)
		assert.True(t, utf8.ValidString(text))
		assert.True(t, strings.HasSuffix(text, "…"))
	}
}

func TestRetryAfter(t *testing.T) {
	date := "Thu, 26 Nov 2026 10:00:00 GMT"
	for _, test := range []struct {
		code        int
		after, date string
		want        time.Duration
	}{
		{503, "", "", 0}, {503, "120", "", 2 * time.Minute}, {429, " 1 ", "", time.Second}, {502, "5", "", 5 * time.Second},
		{503, "-3", "", 0}, {503, "soon", "", 0}, {503, "99999999999999", "", 0},
		{503, "Thu, 26 Nov 2026 10:00:30 GMT", date, 30 * time.Second}, {503, "Thu, 26 Nov 2026 09:00:00 GMT", date, 0},
		{503, "Thu, 26 Nov 2020 09:00:00 GMT", "", 0},
		{400, "120", "", 0},
	} {
		h := http.Header{"Retry-After": {test.after}, "Date": {test.date}}
		assert.Equal(t, test.want, answer.FromHTTP(response(test.code, "", "", h)).Delay, test)
	}
}

func TestFromNetwork(t *testing.T) {
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
	e := answer.FromNetwork(fmt.Errorf("send: %w", &url.Error{Op: "Post", URL: "https://host/secret", Err: refused}))
	assert.Equal(t, answer.Retry, e.Class)
	assert.Equal(t, "dial tcp: connection refused", e.Error())
	assert.ErrorIs(t, e, refused)
}

// Of reads the errors of other components.
func TestOf(t *testing.T) {
	plain := errors.New("plain")
	permanent := consumererror.NewPermanent
	told := consumererror.NewOTLPHTTPError
	for _, test := range []struct {
		name string
		err  error
		want answer.Class
	}{
		{"no status", plain, answer.Retry},
		{"a permanent one", fmt.Errorf("x: %w", permanent(plain)), answer.Data},
		{"time is up", context.DeadlineExceeded, answer.Retry},
		{"a status", status.Error(codes.Unavailable, "x"), answer.Retry},
		{"a status about the data", status.Error(codes.InvalidArgument, "x"), answer.Data},
		{"a permanent status", permanent(status.Error(codes.Unauthenticated, "x")), answer.Gateway},
		{"a permanent status that may be about the data", permanent(status.Error(codes.Internal, "x")), answer.Either},
		{"permanently unavailable", permanent(status.Error(codes.Unavailable, "x")), answer.Data},
		{"HTTP 401", told(plain, 401), answer.Gateway},
		{"HTTP 400", fmt.Errorf("x: %w", told(plain, 400)), answer.Data},
		{"HTTP 413", told(plain, 413), answer.TooLarge},
		{"HTTP 429", told(plain, 429), answer.Retry},
		{"HTTP 500", told(plain, 500), answer.Either},
		{"HTTP 503", told(plain, 503), answer.Retry},
		{"gRPC in the Collector's error", consumererror.NewOTLPGRPCError(plain, status.New(codes.PermissionDenied, "x")), answer.Gateway},
		{"retryable", consumererror.NewRetryableError(plain), answer.Retry},
		{"one of several", multierr.Append(plain, &answer.Error{Class: answer.Gateway}), answer.Gateway},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := answer.Of(test.err)
			assert.Equal(t, test.want.String(), e.Class.String())
			assert.Same(t, e, answer.Of(e))
		})
	}
}

func response(code int, contentType, body string, h http.Header) *http.Response {
	if h == nil {
		h = http.Header{}
	}
	h.Set("Content-Type", contentType)
	return &http.Response{StatusCode: code, Header: h, Body: io.NopCloser(strings.NewReader(body))}
}
