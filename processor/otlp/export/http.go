package export

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/otlphttpexporter"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.40.0"

	"github.com/slowburn/slowburn/internal/answer"
)

const (
	contentProtobuf = "application/x-protobuf"
	contentJSON     = "application/json"
	// maxResponse is the number of bytes of an answer that are read.
	maxResponse = 64 << 10
)

// httpClient sends requests over HTTP.
type httpClient struct {
	cfg *HTTPConfig
	set exporter.Settings
	url *url.URL

	client *http.Client // set by start
}

func newHTTPClient(cfg *HTTPConfig, set exporter.Settings) (*httpClient, error) {
	endpoint := cfg.Collector.TracesEndpoint
	if endpoint == "" {
		if cfg.Collector.ClientConfig.Endpoint == "" {
			return nil, errors.New("endpoint: is empty, and so is traces_endpoint; write one of them")
		}
		endpoint = strings.TrimSuffix(cfg.Collector.ClientConfig.Endpoint, "/") + "/v1/traces"
	}
	u, err := url.Parse(endpoint)
	if err != nil {
		return nil, errors.New("endpoint: it, or traces_endpoint, is no URL; write one such as http://127.0.0.1:4318")
	}
	return &httpClient{cfg: cfg, set: set, url: u}, nil
}

func (c *httpClient) start(ctx context.Context, host component.Host) (err error) {
	if c.client, err = c.cfg.Collector.ClientConfig.ToClient(ctx, host.GetExtensions(), c.set.TelemetrySettings); err != nil {
		return err
	}
	c.client.CheckRedirect = samePost
	return nil
}

// samePost follows only redirections that repeat the request: a server that answers a GET with 200 has not
// taken the traces.
func samePost(req *http.Request, via []*http.Request) error {
	if req.Method != http.MethodPost || len(via) >= 10 {
		return http.ErrUseLastResponse
	}
	return nil
}

func (c *httpClient) shutdown(context.Context) error {
	if c.client != nil {
		c.client.CloseIdleConnections()
	}
	return nil
}

func (c *httpClient) json() bool { return c.cfg.Collector.Encoding == otlphttpexporter.EncodingJSON }

func (c *httpClient) send(ctx context.Context, b body) (partial ptraceotlp.ExportPartialSuccess, refused *answer.Error) {
	partial = ptraceotlp.NewExportPartialSuccess()
	contentType := contentProtobuf
	if c.json() {
		text, err := asJSON(b.ReadOnlyData())
		if err != nil {
			return partial, &answer.Error{Class: answer.Data, Text: err.Error(), Cause: err}
		}
		contentType, b = contentJSON, newBody(func(dst []byte) []byte { return append(dst, text...) })
		defer b.Free()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url.String(), b.open())
	if err != nil {
		return partial, answer.FromNetwork(err)
	}
	req.ContentLength = int64(b.Len())
	req.GetBody = func() (io.ReadCloser, error) { return b.open(), nil }
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("User-Agent", userAgent(c.set.BuildInfo))
	resp, err := c.client.Do(req)
	if err != nil {
		return partial, answer.FromNetwork(err)
	}
	defer func() { // reading to the end keeps the connection usable
		_, _ = io.CopyN(io.Discard, resp.Body, maxResponse)
		_ = resp.Body.Close()
	}()
	if refused := answer.FromHTTP(resp); refused != nil {
		return partial, refused
	}
	return readPartial(resp), nil
}

// readPartial reads the partial success of an accepted request. A body that cannot be read is full success.
func readPartial(resp *http.Response) ptraceotlp.ExportPartialSuccess {
	response := ptraceotlp.NewExportResponse()
	content, err := io.ReadAll(io.LimitReader(resp.Body, maxResponse))
	if err != nil {
		return response.PartialSuccess()
	}
	switch contentType, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";"); strings.TrimSpace(contentType) {
	case contentProtobuf:
		err = response.UnmarshalProto(content)
	case contentJSON:
		err = response.UnmarshalJSON(content)
	}
	if err != nil {
		return ptraceotlp.NewExportPartialSuccess()
	}
	return response.PartialSuccess()
}

func asJSON(request []byte) ([]byte, error) {
	decoded := ptraceotlp.NewExportRequest()
	if err := decoded.UnmarshalProto(request); err != nil {
		return nil, fmt.Errorf("decode kept traces: %w", err)
	}
	return decoded.MarshalJSON()
}

// attributes returns the attributes of the exporter's metrics, as the Collector's exporter has them.
func (c *httpClient) attributes() []attribute.KeyValue {
	all := []attribute.KeyValue{semconv.ServerAddress(c.url.Hostname())}
	if c.url.Path != "" {
		all = append(all, semconv.URLPath(c.url.Path))
	}
	if port, err := strconv.Atoi(c.url.Port()); err == nil {
		all = append(all, semconv.ServerPort(port))
	}
	return all
}
