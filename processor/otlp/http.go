package otlp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/slowburn/slowburn/internal/brief"
	"github.com/slowburn/slowburn/processor/otlp/internal/intake"
	"github.com/slowburn/slowburn/processor/otlp/internal/misdirected"
)

// startHTTP opens the HTTP listener if it is configured. The caller holds mu.
func (r *otlpReceiver) startHTTP(ctx context.Context, h component.Host) error {
	if !r.cfg.Protocols.HTTP.HasValue() {
		return nil
	}
	cfg := r.cfg.Protocols.HTTP.Get()
	obs, err := r.newObsReport("http")
	if err != nil {
		return err
	}
	g := &entrance{transport: "http", key: "protocols::http::max_request_body_size", budget: r.budget, refusals: r.refusals}
	mux := http.NewServeMux()
	if r.traces != nil {
		mux.Handle(string(cfg.TracesURLPath), httpDoor{r.tracesDoor(obs), g})
	}
	if r.metrics != nil {
		mux.Handle(string(cfg.MetricsURLPath), httpDoor{&metricsDoor{next: r.metrics, obs: obs}, g})
	}
	if _, served := mux.Handler(&http.Request{URL: &url.URL{Path: "/"}}); served == "" {
		mux.Handle("/", r.misdirected.Unserved())
	}
	options := append(compressed(&cfg.ServerConfig), confighttp.WithErrorHandler(refuse))
	s, err := cfg.ServerConfig.ToServer(ctx, h.GetExtensions(), r.set.TelemetrySettings, mux, options...)
	if err != nil {
		return err
	}
	g.limit = cfg.ServerConfig.MaxRequestBodySize // its default is set by now
	conf, err := tlsConfig(ctx, cfg.ServerConfig.TLS)
	if err != nil {
		return err
	}
	l, err := cfg.ServerConfig.NetAddr.Listen(ctx)
	if err != nil {
		return err
	}
	counted := r.counted(l, g.transport)
	r.refusals.http.Store(counted)
	// HTTP/2 without TLS is served only to tell senders of gRPC what to set.
	s.Protocols = new(http.Protocols)
	s.Protocols.SetHTTP1(true)
	s.Protocols.SetHTTP2(true)
	s.Protocols.SetUnencryptedHTTP2(true)
	s.MaxHeaderBytes = maxHeaders
	s.Handler = r.inTime(g, r.misdirected.HTTP(s.Handler))
	s.ErrorLog = misdirected.Log(s.ErrorLog)
	r.misdirected.OpenHTTP(misdirected.PortOf(counted, conf != nil))
	l = r.misdirected.Listener(counted, conf)
	r.http = s
	r.serve("HTTP", conf != nil, l, s.Serve, http.ErrServerClosed)
	return nil
}

// maxHeaders is the largest size of a request's headers in bytes, over either protocol.
const maxHeaders = 64 << 10

// compressed makes confighttp leave bodies in an allowed encoding compressed. The doors decompress them, because they
// know the limits of a request.
func compressed(cfg *confighttp.ServerConfig) []confighttp.ToServerOption {
	names := cfg.CompressionAlgorithms
	if names == nil {
		names = []string{"gzip", "zstd", "zlib", "snappy", "deflate", "lz4", "x-snappy-framed"} // confighttp's
	}
	var options []confighttp.ToServerOption
	for _, name := range names {
		options = append(options, confighttp.WithDecoder(name, func(io.ReadCloser) (io.ReadCloser, error) { return nil, nil }))
	}
	return options
}

// inTime passes requests on and cuts off those whose body does not arrive in time.
func (r *otlpReceiver) inTime(g *entrance, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		conn := http.NewResponseController(w)
		ctx := intake.Within(req.Context(), r.cfg.ReceiveTimeout, func() {
			_ = conn.SetReadDeadline(time.Unix(1, 0)) // it only fails on a closed connection
		})
		defer intake.Arrived(ctx)
		next.ServeHTTP(w, req.WithContext(ctx))
	})
}

// httpDoor is a door over HTTP.
type httpDoor struct {
	door
	entrance *entrance
}

func (d httpDoor) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	enc := encodingOf(req.Header.Get("Content-Type"))
	switch {
	case req.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		refuse(w, req, req.Method+" is not allowed here: POST an OTLP request", http.StatusMethodNotAllowed)
		return
	case enc == nil:
		refuse(w, req, fmt.Sprintf("Content-Type is %q: send %s or %s", req.Header.Get("Content-Type"),
			protobufEncoding.contentType, jsonEncoding.contentType), http.StatusUnsupportedMediaType)
		return
	}
	resp, err := d.entrance.pass(req.Context(), d.door, enc, func(q *intake.Request) error { return d.receive(q, req) })
	if err != nil {
		s, code := statusOf(err)
		writeStatus(w, enc, s, code)
		return
	}
	b, err := enc.marshal(resp)
	if err != nil {
		writeStatus(w, enc, status.New(codes.Internal, "marshal the response: "+err.Error()), http.StatusInternalServerError)
		return
	}
	write(w, enc, b, http.StatusOK)
}

// receive reads the body of a request.
func (d httpDoor) receive(q *intake.Request, req *http.Request) error {
	err := q.Decompress(req.Header.Get("Content-Encoding"), req.Body, d.entrance.limit, max(req.ContentLength, 0))
	var large *http.MaxBytesError
	switch {
	case errors.Is(err, intake.ErrSpent):
		// A sender that is cut off while it writes would not read the answer.
		_, _ = io.CopyN(io.Discard, req.Body, maxDrained)
	case errors.As(err, &large):
		err = intake.ErrTooLong
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = errLate
	case err != nil && !errors.As(err, new(*intake.TooLargeError)):
		err = malformed(err.Error())
	}
	intake.Arrived(req.Context())
	return err
}

// maxDrained is the number of bytes of a refused body that are read.
const maxDrained = 1 << 20

// refuse answers a request that was refused before the door. confighttp calls it too, and describes a wrong body
// only by text.
func refuse(w http.ResponseWriter, req *http.Request, message string, code int) {
	if strings.Contains(message, "request body too large") || strings.Contains(message, "exceeds max request body size") {
		code = http.StatusRequestEntityTooLarge
		message = "the decompressed body is over the limit: send smaller batches, or raise protocols::http::max_request_body_size"
	}
	enc := encodingOf(req.Header.Get("Content-Type"))
	if enc == nil {
		enc = jsonEncoding
	}
	writeStatus(w, enc, statusFromHTTP(brief.Text(message, brief.Answer), code), code)
}

// writeStatus answers with a google.rpc.Status, as OTLP requires.
func writeStatus(w http.ResponseWriter, enc *encoding, s *status.Status, code int) {
	if delay, ok := retryDelay(s); ok && (code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable) {
		seconds := int64((delay + 1e9 - 1) / 1e9)
		w.Header().Set("Retry-After", strconv.FormatInt(max(seconds, 1), 10))
	}
	b, err := enc.marshalStatus(s.Proto())
	if err != nil {
		// The message is not UTF-8: the code alone is sent.
		b, err = enc.marshalStatus(status.New(s.Code(), http.StatusText(code)).Proto())
	}
	if err != nil {
		http.Error(w, errors.Join(errors.New("marshal the status"), err).Error(), http.StatusInternalServerError)
		return
	}
	write(w, enc, b, code)
}

func write(w http.ResponseWriter, enc *encoding, b []byte, code int) {
	w.Header().Set("Content-Type", enc.contentType)
	w.WriteHeader(code)
	_, _ = w.Write(b) // it only fails if the sender has gone
}
