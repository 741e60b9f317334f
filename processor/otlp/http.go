package otlp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/slowburn/slowburn/processor/otlp/internal/misdirected"
)

// startHTTP opens the HTTP listener if there is to be one. The caller holds mu.
func (r *otlpReceiver) startHTTP(ctx context.Context, h component.Host) error {
	if !r.cfg.Protocols.HTTP.HasValue() {
		return nil
	}
	cfg := r.cfg.Protocols.HTTP.Get()
	obs, err := r.newObsReport("http")
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	if r.traces != nil {
		mux.Handle(string(cfg.TracesURLPath), httpDoor{r.tracesDoor(obs)})
	}
	if r.metrics != nil {
		mux.Handle(string(cfg.MetricsURLPath), httpDoor{&metricsDoor{next: r.metrics, obs: obs}})
	}
	if _, served := mux.Handler(&http.Request{URL: &url.URL{Path: "/"}}); served == "" {
		mux.Handle("/", r.misdirected.Unserved())
	}
	options := append(gunzip(&cfg.ServerConfig), confighttp.WithErrorHandler(refuse))
	s, err := cfg.ServerConfig.ToServer(ctx, h.GetExtensions(), r.set.TelemetrySettings, mux, options...)
	if err != nil {
		return err
	}
	conf, err := tlsConfig(ctx, cfg.ServerConfig.TLS)
	if err != nil {
		return err
	}
	l, err := cfg.ServerConfig.NetAddr.Listen(ctx)
	if err != nil {
		return err
	}
	// HTTP/2 without TLS is spoken to tell senders of gRPC what to set.
	s.Protocols = new(http.Protocols)
	s.Protocols.SetHTTP1(true)
	s.Protocols.SetHTTP2(true)
	s.Protocols.SetUnencryptedHTTP2(true)
	s.Handler = r.misdirected.HTTP(s.Handler)
	s.ErrorLog = misdirected.Log(s.ErrorLog)
	r.misdirected.OpenHTTP(misdirected.PortOf(l, conf != nil))
	l = r.misdirected.Listener(l, conf)
	r.http = s
	r.serve("HTTP", conf != nil, l, s.Serve, http.ErrServerClosed)
	return nil
}

// httpDoor is a door over HTTP. The body has been decompressed, and limited, by confighttp.
type httpDoor struct{ door }

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
	body := bodies.Get().(*bytes.Buffer)
	defer recycle(body)
	body.Grow(int(min(max(req.ContentLength, 0), maxPooledBody)) + bytes.MinRead)
	if _, err := body.ReadFrom(req.Body); err != nil {
		refuse(w, req, err.Error(), http.StatusBadRequest)
		return
	}
	resp, err := d.Export(req.Context(), enc, body.Bytes())
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

// maxPooledBody is the capacity in bytes beyond which a body's buffer is not kept.
const maxPooledBody = 4 << 20

var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func recycle(body *bytes.Buffer) {
	if body.Cap() <= maxPooledBody {
		body.Reset()
		bodies.Put(body)
	}
}

// refuse answers a request that did not get through the door. confighttp calls it too, and has only text for what is
// wrong with a body.
func refuse(w http.ResponseWriter, req *http.Request, message string, code int) {
	if strings.Contains(message, "request body too large") || strings.Contains(message, "exceeds max request body size") {
		code = http.StatusRequestEntityTooLarge
		message = "the decompressed body is over the limit: send smaller batches, or raise protocols::http::max_request_body_size"
	}
	enc := encodingOf(req.Header.Get("Content-Type"))
	if enc == nil {
		enc = jsonEncoding
	}
	writeStatus(w, enc, statusFromHTTP(message, code), code)
}

// writeStatus answers with a google.rpc.Status, as OTLP wants it.
func writeStatus(w http.ResponseWriter, enc *encoding, s *status.Status, code int) {
	if delay, ok := retryDelay(s); ok && (code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable) {
		seconds := int64((delay + 1e9 - 1) / 1e9)
		w.Header().Set("Retry-After", strconv.FormatInt(max(seconds, 1), 10))
	}
	b, err := enc.marshalStatus(s.Proto())
	if err != nil {
		// A message that is not UTF-8: the code says enough.
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
	_, _ = w.Write(b) // it fails if the sender has gone, which needs no answer
}
