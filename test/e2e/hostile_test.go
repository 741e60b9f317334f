//go:build e2e

package e2e

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
)

// hostileBudget is intake_budget in testdata/hostile.yaml, in bytes.
const hostileBudget = 128 << 20

// TestHostileClients sends requests that have killed gateways to one gateway, many of each kind at once. Its memory stays near the
// budget for requests: it grows by at most four times that over its idle size, which covers the garbage of ended requests and the
// pipeline's own memory. Another client is served meanwhile: each of its requests is acknowledged, or refused with a retryable code.
func TestHostileClients(t *testing.T) {
	parallelHeavy(t)
	g := startGateway(t, nil, "testdata/hostile.yaml")
	pid := g.cmd.Process.Pid
	g.postBody(t, "/v1/traces", "", "", nil)
	idle := memory(t, pid, "VmHWM:")
	beside := g.beside(t)

	spans := gzipped(t, field(bytes.Repeat([]byte{2<<3 | 2, 0}, 10_000_000), 1, 2))
	points := gzipped(t, field(bytes.Repeat([]byte{1<<3 | 2, 0}, 10_000_000), 1, 2, 2, 5))
	smallPoints := field(bytes.Repeat([]byte{1<<3 | 2, 0}, 2_000_000), 1, 2, 2, 5)
	noise := make([]byte, 16<<20)
	_, err := rand.Read(noise)
	require.NoError(t, err)
	large := field(noise, 1, 1, 1, 2, 7) // in an attribute of a resource
	attacks := []struct {
		name   string
		attack func(*testing.T)
	}{
		{"spans of two bytes", func(t *testing.T) {
			together(16, func(int) { g.postBody(t, "/v1/traces", "application/x-protobuf", "gzip", spans) })
		}},
		{"points of two bytes", func(t *testing.T) {
			together(16, func(int) {
				assert.Contains(t, []int{http.StatusBadRequest, http.StatusTooManyRequests}, g.postBody(t, "/v1/metrics", "application/x-protobuf", "gzip", points))
			})
		}},
		{"points of two bytes over gRPC", func(t *testing.T) {
			together(32, func(int) {
				assert.Contains(t, []codes.Code{codes.InvalidArgument, codes.ResourceExhausted, codes.Unavailable}, g.invoke(t, "metrics.v1.Metrics", "gzip", smallPoints))
			})
		}},
		{"JSON of nothing but spans", func(t *testing.T) {
			body := gzipped(t, []byte(`{"resourceSpans":[{"scopeSpans":[{"spans":[`+strings.Repeat("{},", 5_000_000)+`{}]}]}]}`))
			together(8, func(int) {
				assert.Contains(t, []int{http.StatusBadRequest, http.StatusTooManyRequests}, g.postBody(t, "/v1/traces", "application/json", "gzip", body))
			})
		}},
		{"bombs", func(t *testing.T) {
			zeros := make([]byte, 512<<20)
			member := gzipped(t, zeros[:16<<20])
			encoder, err := zstd.NewWriter(nil)
			require.NoError(t, err)
			for encoding, body := range map[string][]byte{"gzip": bytes.Repeat(member, 64), "zstd": encoder.EncodeAll(zeros, nil), "snappy": {0x80, 0x80, 0x80, 0x80, 0x0c, 0}} {
				together(8, func(int) {
					code := g.postBody(t, "/v1/traces", "application/x-protobuf", encoding, body)
					assert.Contains(t, []int{http.StatusRequestEntityTooLarge, http.StatusTooManyRequests}, code, encoding)
				})
			}
		}},
		{"large requests in parallel", func(t *testing.T) {
			together(32, func(int) {
				code := g.postBody(t, "/v1/traces", "application/x-protobuf", "", large)
				assert.Contains(t, []int{0, http.StatusOK, http.StatusTooManyRequests}, code, "0: the connection was closed during the request")
			})
		}},
		{"endless gRPC calls", func(t *testing.T) { g.endlessCalls(t, 100) }},
		{"headers with a body of one byte", func(t *testing.T) {
			g.silent(t, g.http, 800, "POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\nContent-Length: 20000000\r\n\r\nx")
		}},
		{"silent connections", func(t *testing.T) {
			g.silent(t, g.http, 800, "")
			g.silent(t, g.grpc, 800, "")
		}},
		{"an attribute of 16 MiB on a metric", func(t *testing.T) {
			point := append(field([]byte(strings.Repeat("x", 16<<20)), 7, 2, 1), field([]byte("key"), 7, 1)...)
			metric := append(field([]byte("hostile"), 1), field(point, 5, 1)...)
			for range 3 {
				assert.NotEqual(t, codes.Unavailable, g.invoke(t, "metrics.v1.Metrics", "", field(metric, 1, 2, 2)))
			}
		}},
	}
	for _, a := range attacks {
		began := time.Now()
		a.attack(t)
		t.Logf("%-40s peak %4d MiB, %s", a.name, memory(t, pid, "VmHWM:")>>20, time.Since(began).Round(time.Millisecond))
		require.NotContains(t, g.ended(), true, "the gateway ended: %s", a.name)
	}
	peak := memory(t, pid, "VmHWM:")
	acknowledged, again := beside()
	t.Logf("idle %d MiB, peak %d MiB; %d requests of the other client were acknowledged, %d refused with a retryable code", idle>>20, peak>>20, acknowledged, again)
	assert.Less(t, peak-idle, 4*hostileBudget)
	assert.Positive(t, acknowledged)
	status, _ := g.request(t, http.MethodGet, "/readyz")
	assert.Equal(t, http.StatusOK, status)
}

// ended returns [true] if the gateway has ended, and nil if it runs.
func (g *gateway) ended() []bool {
	select {
	case <-g.done:
		return []bool{true}
	default:
		return nil
	}
}

// beside exports small requests until the returned function is called, which returns the numbers of acknowledged requests and of those
// that were refused with a retryable code. Another answer fails the test.
func (g *gateway) beside(t *testing.T) func() (acknowledged, again int64) {
	t.Helper()
	client, made := g.client(t), newTraffic(77)
	ctx, cancel := context.WithCancel(t.Context())
	var done sync.WaitGroup
	var ok, retry atomic.Int64
	done.Go(func() {
		for ctx.Err() == nil {
			for _, td := range made.trace(boring, time.Now()) {
				_, err := client.Export(context.Background(), ptraceotlp.NewExportRequestFromTraces(td))
				switch status.Code(err) {
				case codes.OK:
					ok.Add(1)
				case codes.ResourceExhausted, codes.Unavailable, codes.DeadlineExceeded:
					retry.Add(1)
				default:
					assert.NoError(t, err)
				}
			}
			time.Sleep(10 * time.Millisecond)
		}
	})
	return func() (int64, int64) {
		cancel()
		done.Wait()
		return ok.Load(), retry.Load()
	}
}

// together makes n concurrent calls of f, and waits for all.
func together(n int, f func(i int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { f(i) })
	}
	all.Wait()
}

// postBody posts a body and returns the status of the answer, or 0 if the connection was closed before an answer.
func (g *gateway) postBody(t *testing.T, path, contentType, encoding string, body []byte) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+g.http+path, bytes.NewReader(body))
	if !assert.NoError(t, err) {
		return 0
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Content-Encoding", encoding)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	return resp.StatusCode
}

// bytesCodec sends bytes unchanged.
type bytesCodec struct{}

func (bytesCodec) Name() string { return "proto" }

func (bytesCodec) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(v.([]byte))}, nil
}

func (bytesCodec) Unmarshal(data mem.BufferSlice, v any) error {
	*v.(*[]byte) = data.Materialize()
	return nil
}

// invoke sends a body over gRPC, on a new connection.
func (g *gateway) invoke(t *testing.T, service, compressor string, body []byte) codes.Code {
	t.Helper()
	conn, err := grpc.NewClient(g.grpc, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if !assert.NoError(t, err) {
		return codes.Unknown
	}
	defer func() { _ = conn.Close() }()
	opts := []grpc.CallOption{grpc.ForceCodecV2(bytesCodec{})}
	if compressor != "" {
		opts = append(opts, grpc.UseCompressor(compressor))
	}
	var out []byte
	return status.Code(conn.Invoke(t.Context(), "/opentelemetry.proto.collector."+service+"Service/Export", body, &out, opts...))
}

// endlessCalls makes calls of nearly the largest message size, each on its own connection, and does not send the end of the message.
func (g *gateway) endlessCalls(t *testing.T, calls int) {
	t.Helper()
	const size = 4<<20 - 1024
	together(calls, func(int) {
		conn, err := grpc.NewClient(g.grpc, grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
				c, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
				return &withheld{Conn: c, left: size - 64<<10}, err
			}))
		if !assert.NoError(t, err) {
			return
		}
		defer func() { _ = conn.Close() }()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		var out []byte
		err = conn.Invoke(ctx, "/opentelemetry.proto.collector.trace.v1.TraceService/Export", make([]byte, size), &out, grpc.ForceCodecV2(bytesCodec{}))
		assert.Error(t, err)
	})
}

// withheld is a connection that discards all bytes after the first left ones, without an error.
type withheld struct {
	net.Conn
	left int
}

func (w *withheld) Write(b []byte) (int, error) {
	if w.left <= 0 {
		return len(b), nil
	}
	n, err := w.Conn.Write(b[:min(len(b), w.left)])
	w.left -= n
	if err != nil {
		return n, err
	}
	return len(b), nil
}

// silent opens n connections, sends a text on each, and checks a second later that another client gets an answer.
func (g *gateway) silent(t *testing.T, address string, n int, text string) {
	t.Helper()
	var conns []net.Conn
	for range n {
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
		if !assert.NoError(t, err) {
			break
		}
		_, _ = io.WriteString(c, text)
		conns = append(conns, c)
	}
	time.Sleep(time.Second)
	resp, err := (&http.Client{Transport: &http.Transport{}}).Post(fmt.Sprintf("http://%s/v1/traces", g.http), "application/x-protobuf", http.NoBody)
	if assert.NoError(t, err, "another client gets an answer") {
		_ = resp.Body.Close()
	}
	for _, c := range conns {
		_ = c.Close()
	}
}

func gzipped(t *testing.T, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	require.NoError(t, err)
	_, err = w.Write(b)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.Bytes()
}

// field wraps a body in length-delimited fields, the innermost number last.
func field(body []byte, nums ...protowire.Number) []byte {
	for i := len(nums) - 1; i >= 0; i-- {
		head := binary.AppendUvarint(protowire.AppendTag(nil, nums[i], protowire.BytesType), uint64(len(body)))
		body = append(head, body...)
	}
	return body
}
