package main

import (
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	_ "google.golang.org/grpc/encoding/gzip" // requests may be compressed
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// openDoors starts the backend's own servers, which can give any answer, and returns a function that stops them.
func openDoors(ctx context.Context, s settings, b *store) (func(), error) {
	var secured *tls.Config
	options := []grpc.ServerOption{grpc.MaxRecvMsgSize(s.maxBytes)}
	if s.certificate != "" {
		certificate, err := tls.LoadX509KeyPair(s.certificate, s.key)
		if err != nil {
			return nil, err
		}
		secured = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
		options = append(options, grpc.Creds(credentials.NewTLS(secured)))
	}
	grpcListener, err := new(net.ListenConfig).Listen(ctx, "tcp", s.grpc)
	if err != nil {
		return nil, err
	}
	httpListener, err := new(net.ListenConfig).Listen(ctx, "tcp", s.http)
	if err != nil {
		return nil, err
	}
	if secured != nil {
		httpListener = tls.NewListener(httpListener, secured)
	}
	grpcServer := grpc.NewServer(options...)
	ptraceotlp.RegisterGRPCServer(grpcServer, &grpcDoor{store: b, token: s.token})
	go func() { _ = grpcServer.Serve(grpcListener) }()
	mux := http.NewServeMux()
	mux.Handle("POST /v1/traces", &httpDoor{store: b, token: s.token, maxBytes: s.maxBytes})
	httpServer := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = httpServer.Serve(httpListener) }()
	return func() {
		grpcServer.Stop()
		_ = httpServer.Close()
	}, nil
}

// grpcDoor receives OTLP/gRPC.
type grpcDoor struct {
	ptraceotlp.UnimplementedGRPCServer
	store *store
	token string
}

// Export implements ptraceotlp.GRPCServer.
func (d *grpcDoor) Export(ctx context.Context, req ptraceotlp.ExportRequest) (ptraceotlp.ExportResponse, error) {
	resp := ptraceotlp.NewExportResponse()
	md, _ := metadata.FromIncomingContext(ctx)
	if d.token != "" && first(md, "authorization") != "Bearer "+d.token {
		return resp, status.Error(codes.Unauthenticated, "the token is missing or wrong")
	}
	r := d.store.take(first(md, "tenant"), doorGRPC, req.Traces())
	switch {
	case r == nil:
	case r.Reject > 0:
		resp.PartialSuccess().SetRejectedSpans(r.Reject)
		resp.PartialSuccess().SetErrorMessage(r.Text)
	default:
		if r.Hang {
			r.wait(ctx)
		}
		return resp, r.status()
	}
	return resp, nil
}

func first(md metadata.MD, key string) string {
	if values := md.Get(key); len(values) > 0 {
		return values[0]
	}
	return ""
}

// httpDoor receives OTLP/HTTP as protobuf.
type httpDoor struct {
	store    *store
	token    string
	maxBytes int
}

// ServeHTTP implements http.Handler.
func (d *httpDoor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if d.token != "" && r.Header.Get("Authorization") != "Bearer "+d.token {
		refuse(w, http.StatusUnauthorized, &rule{Text: "the token is missing or wrong"})
		return
	}
	body, err := d.read(w, r)
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large) || len(body) > d.maxBytes:
		refuse(w, http.StatusRequestEntityTooLarge, &rule{Text: "the request is too large"})
		return
	case err != nil:
		refuse(w, http.StatusBadRequest, &rule{Text: err.Error()})
		return
	}
	req := ptraceotlp.NewExportRequest()
	if err := req.UnmarshalProto(body); err != nil {
		refuse(w, http.StatusBadRequest, &rule{Text: err.Error()})
		return
	}
	resp := ptraceotlp.NewExportResponse()
	found := d.store.take(r.Header.Get("tenant"), doorHTTP, req.Traces())
	switch {
	case found == nil:
	case found.Reject > 0:
		resp.PartialSuccess().SetRejectedSpans(found.Reject)
		resp.PartialSuccess().SetErrorMessage(found.Text)
	default:
		if found.Hang {
			found.wait(r.Context())
		}
		code := found.Status
		if code == 0 {
			code = http.StatusServiceUnavailable // the rule let the request hang
		}
		refuse(w, code, found)
		return
	}
	answer, err := resp.MarshalProto()
	if err != nil {
		refuse(w, http.StatusInternalServerError, &rule{Text: err.Error()})
		return
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
	_, _ = w.Write(answer)
}

// read returns the decompressed body, cut off one byte above maxBytes.
func (d *httpDoor) read(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	var body io.Reader = http.MaxBytesReader(w, r.Body, int64(d.maxBytes))
	if r.Header.Get("Content-Encoding") == "gzip" {
		plain, err := gzip.NewReader(body)
		if err != nil {
			return nil, err
		}
		body = plain
	}
	return io.ReadAll(io.LimitReader(body, int64(d.maxBytes)+1))
}

// refuse answers with a status and, as OTLP specifies, a Status message.
func refuse(w http.ResponseWriter, code int, r *rule) {
	w.Header().Set("Content-Type", "application/x-protobuf")
	if r.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(r.RetryAfter)))
	}
	if code/100 == 3 {
		w.Header().Set("Location", "/elsewhere")
	}
	w.WriteHeader(code)
	body, _ := proto.Marshal(status.New(codes.Unknown, r.Text).Proto())
	_, _ = w.Write(body)
}
