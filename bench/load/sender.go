package load

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/klauspost/compress/gzip"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/gzip" // registers the compressor
)

// Protocol is a way to send a request.
type Protocol struct {
	HTTP bool
	Gzip bool
}

func (p Protocol) String() string {
	name := "gRPC"
	if p.HTTP {
		name = "HTTP"
	}
	if p.Gzip {
		name += "+gzip"
	}
	return name
}

// sender sends one encoded request at a time over a connection of its own.
type sender interface {
	// send returns an error where the target did not accept the whole request.
	send(ctx context.Context, body []byte) error
	close() error
}

func newSender(endpoint string, p Protocol) (sender, error) {
	if p.HTTP {
		return &httpSender{url: "http://" + endpoint + "/v1/traces", gzip: p.Gzip,
			client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1, DisableCompression: true}}}, nil
	}
	options := []grpc.CallOption{grpc.ForceCodec(raw{})}
	if p.Gzip {
		options = append(options, grpc.UseCompressor("gzip"))
	}
	conn, err := grpc.NewClient(endpoint, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(options...), grpc.WithWriteBufferSize(128<<10))
	return &grpcSender{conn}, err
}

type grpcSender struct{ conn *grpc.ClientConn }

const exportMethod = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"

func (s *grpcSender) send(ctx context.Context, body []byte) error {
	var answer []byte
	if err := s.conn.Invoke(ctx, exportMethod, &body, &answer); err != nil {
		return err
	}
	return partial(answer)
}

func (s *grpcSender) close() error { return s.conn.Close() }

type httpSender struct {
	client *http.Client
	url    string
	gzip   bool
	buf    bytes.Buffer
	zip    *gzip.Writer
}

func (s *httpSender) send(ctx context.Context, body []byte) error {
	if s.gzip {
		s.buf.Reset()
		if s.zip == nil {
			s.zip, _ = gzip.NewWriterLevel(&s.buf, gzip.BestSpeed) // BestSpeed is a valid level
		}
		s.zip.Reset(&s.buf)
		if _, err := s.zip.Write(body); err != nil {
			return err
		}
		if err := s.zip.Close(); err != nil {
			return err
		}
		body = s.buf.Bytes()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	if s.gzip {
		req.Header.Set("Content-Encoding", "gzip")
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the target answered %s", resp.Status)
	}
	return partial(answer)
}

func (s *httpSender) close() error {
	s.client.CloseIdleConnections()
	return nil
}

// partial makes an answer that is not empty an error: the target rejected spans, though all spans of this generator are valid.
func partial(answer []byte) error {
	if len(answer) > 2 { // an empty partial_success takes two bytes
		return fmt.Errorf("the target accepted a part: %q", answer)
	}
	return nil
}

// raw is a gRPC codec that passes bytes through.
type raw struct{}

var _ encoding.Codec = raw{}

func (raw) Marshal(v any) ([]byte, error) { return *v.(*[]byte), nil }
func (raw) Unmarshal(data []byte, v any) error {
	*v.(*[]byte) = bytes.Clone(data)
	return nil
}
func (raw) Name() string { return "proto" }
