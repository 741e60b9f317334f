package otlp

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"runtime"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configgrpc"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configtls"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	grpcencoding "google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/tap"

	_ "github.com/slowburn/slowburn/internal/grpczstd" // prevents frames that ask for gigabytes
	"github.com/slowburn/slowburn/processor/otlp/internal/intake"
	"github.com/slowburn/slowburn/processor/otlp/internal/meter"
	"github.com/slowburn/slowburn/processor/otlp/internal/misdirected"
)

// A request of usual size fits these windows: its sender need not wait for window updates, and the size of the window
// need not be found by pings.
const (
	streamWindow     = 1 << 20
	connectionWindow = 2 << 20
)

// startGRPC opens the gRPC listener if it is configured. The caller holds mu.
func (r *otlpReceiver) startGRPC(ctx context.Context, h component.Host) error {
	if !r.cfg.Protocols.GRPC.HasValue() {
		return nil
	}
	cfg := r.cfg.Protocols.GRPC.Get()
	obs, err := r.newObsReport("grpc")
	if err != nil {
		return err
	}
	if cfg.TLS.HasValue() {
		cfg.ReadBufferSize = min(cfg.ReadBufferSize, 32<<10) // TLS reads no more at a time, and its connections keep their buffers
	}
	creds, err := r.grpcCredentials(ctx, cfg)
	if err != nil {
		return err
	}
	g := &entrance{transport: "grpc", limit: longestMessage(cfg), key: "protocols::grpc::max_recv_msg_size_mib", budget: r.budget, refusals: r.refusals}
	longest := min(g.limit, r.budget.LargestMessage()) // gRPC refuses for good what can never be taken
	if w := r.cfg.WarningOfBudget(r.budget.Limit()); w != "" {
		r.set.Logger.Warn(w)
	}
	option := configgrpc.WithGrpcServerOption
	s, err := cfg.ToServer(ctx, h.GetExtensions(), r.set.TelemetrySettings,
		option(grpc.Creds(creds)),                     // replaces the credentials of ToServer
		option(grpc.ConnectionTimeout(shutdownGrace)), // a stop waits for connections that are still being opened
		option(grpc.UnknownServiceHandler(r.misdirected.Stream)),
		option(grpc.ForceServerCodecV2(bodyCodec{grpcencoding.GetCodecV2("proto")})),
		option(grpc.RPCDecompressor(asItIs{})), //nolint:staticcheck // registering one would change all clients of the process
		option(grpc.InTapHandle(r.admit(g))),
		option(grpc.MaxRecvMsgSize(int(longest))),
		option(grpc.MaxHeaderListSize(maxHeaders)),
		option(grpc.InitialWindowSize(streamWindow)),
		option(grpc.InitialConnWindowSize(connectionWindow)),
		// Workers keep the stacks that requests need; new goroutines would grow theirs each time. If all workers are busy,
		// a call still gets a new goroutine.
		option(grpc.NumStreamWorkers(uint32(4*runtime.GOMAXPROCS(0)))))
	if err != nil {
		return err
	}
	if r.traces != nil {
		s.RegisterService(service("trace", "Trace", g), r.tracesDoor(obs))
	}
	if r.metrics != nil {
		s.RegisterService(service("metrics", "Metrics", g), &metricsDoor{next: r.metrics, obs: obs})
	}
	l, err := cfg.NetAddr.Listen(ctx)
	if err != nil {
		s.Stop()
		return err
	}
	r.misdirected.OpenGRPC(misdirected.PortOf(l, cfg.TLS.HasValue()))
	r.grpc = s
	counted := r.counted(l, g.transport)
	r.refusals.grpc.Store(counted)
	r.serve("gRPC", cfg.TLS.HasValue(), counted, s.Serve, grpc.ErrServerStopped)
	return nil
}

// longestMessage returns the length in bytes of the longest message that the configuration allows.
func longestMessage(cfg *configgrpc.ServerConfig) int64 {
	const ofGRPC = 4 << 20 // gRPC's default
	if cfg.MaxRecvMsgSizeMiB <= 0 {
		return ofGRPC
	}
	return int64(cfg.MaxRecvMsgSizeMiB) << 20
}

// grpcCredentials returns the credentials of the configured TLS, which also recognise connections that are
// not gRPC.
func (r *otlpReceiver) grpcCredentials(ctx context.Context, cfg *configgrpc.ServerConfig) (credentials.TransportCredentials, error) {
	conf, err := tlsConfig(ctx, cfg.TLS)
	if err != nil {
		return nil, err
	}
	return metered{r.misdirected.Credentials(conf), r.budget, func() {
		r.refusals.count(context.Background(), reasonBudget, "grpc")
	}}, nil
}

// tlsConfig returns the TLS configuration of a port, nil if it has none. Both ports negotiate both versions of HTTP, so that a
// sender on the wrong port gets an answer with the key to set.
func tlsConfig(ctx context.Context, cfg configoptional.Optional[configtls.ServerConfig]) (*tls.Config, error) {
	if !cfg.HasValue() {
		return nil, nil
	}
	conf, err := cfg.Get().LoadTLSConfig(ctx)
	if err != nil {
		return nil, err
	}
	conf.NextProtos = []string{"h2", "http/1.1"}
	return conf, nil
}

// metered are credentials whose connections reserve memory for arriving data.
type metered struct {
	credentials.TransportCredentials
	budget  *intake.Budget
	refused func()
}

// ServerHandshake implements credentials.TransportCredentials.
func (m metered) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn, info, err := m.TransportCredentials.ServerHandshake(raw)
	if err != nil {
		return conn, info, err
	}
	return meter.New(conn, m.budget, m.refused), info, nil
}

// admit admits a call if there is memory, before any of its message has come, and limits the time for it to arrive.
func (r *otlpReceiver) admit(g *entrance) tap.ServerInHandle {
	return func(ctx context.Context, _ *tap.Info) (context.Context, error) {
		if g.budget.Scarce() {
			err := g.refused(intake.ErrSpent)
			g.count(ctx, err)
			s, _ := statusOf(err)
			return ctx, s.Err()
		}
		return intake.Within(ctx, r.cfg.ReceiveTimeout, func() { g.refusals.count(context.Background(), reasonTimeout, g.transport) }), nil
	}
}

// service describes an OTLP service by hand, because the generated descriptions decode the request.
func service(pkg, name string, g *entrance) *grpc.ServiceDesc {
	full := "opentelemetry.proto.collector." + pkg + ".v1." + name + "Service"
	handle := func(srv any, ctx context.Context, dec func(any) error, intercept grpc.UnaryServerInterceptor) (any, error) {
		intake.Arrived(ctx)
		var body requestBody
		defer body.free()
		if err := dec(&body); err != nil {
			return nil, err
		}
		export := func(ctx context.Context, _ any) (any, error) {
			resp, err := g.pass(ctx, srv.(door), protobufEncoding, func(q *intake.Request) error { return body.receive(q, g.limit) })
			if err != nil {
				s, _ := statusOf(err)
				return nil, s.Err()
			}
			return resp, nil
		}
		if intercept == nil {
			return export(ctx, &body)
		}
		return intercept(ctx, &body, &grpc.UnaryServerInfo{Server: srv, FullMethod: "/" + full + "/Export"}, export)
	}
	return &grpc.ServiceDesc{
		ServiceName: full,
		HandlerType: (*door)(nil),
		Methods:     []grpc.MethodDesc{{MethodName: "Export", Handler: handle}},
		Metadata:    "opentelemetry/proto/collector/" + pkg + "/v1/" + pkg + "_service.proto",
	}
}

// requestBody is a request that is neither decompressed nor decoded; it must be freed.
type requestBody struct{ data mem.BufferSlice }

// receive reads the body. A body in one piece is used in place. gRPC's own buffers are cleared before each use, so several
// pieces are joined in ours.
func (b *requestBody) receive(q *intake.Request, limit int64) error {
	intake.HeldByConnection(q, int64(b.data.Len()))
	if len(b.data) == 1 {
		whole := b.data[0].ReadOnlyData()
		packed, ok := bytes.CutPrefix(whole, packedMark)
		if !ok {
			return q.Borrow(whole)
		}
		if err := q.Make(min(usualRatio*int64(len(packed)), limit)); err != nil {
			return err
		}
		err := q.Decompress("gzip", bytes.NewReader(packed), limit, 0)
		intake.PutBuffer(whole) // from Do
		if err != nil && !errors.Is(err, intake.ErrSpent) && !errors.As(err, new(*intake.TooLargeError)) {
			return malformed("malformed gzip: " + err.Error())
		}
		return err
	}
	if err := q.Make(int64(b.data.Len()) + 1); err != nil {
		return err
	}
	r := b.data.Reader()
	err := q.ReadAll(r, limit, int64(b.data.Len()))
	b.data.Free()
	b.data = nil
	return err
}

// usualRatio is the least compression ratio of gzip on most requests.
const usualRatio = 4

func (b *requestBody) free() { b.data.Free() }

// packedMark begins a message that asItIs left compressed. It is random, so that no sender can produce it.
var packedMark = func() []byte {
	mark := make([]byte, 16)
	_, _ = rand.Read(mark) // it cannot fail
	return mark
}()

// asItIs is a decompressor that leaves a message compressed, behind a mark. gRPC decompresses before it calls the door, but
// only the door reserves memory.
type asItIs struct{}

// Type implements grpc.Decompressor.
func (asItIs) Type() string { return gzip.Name }

// Do implements grpc.Decompressor.
func (asItIs) Do(r io.Reader) ([]byte, error) {
	sized, ok := r.(interface{ Remaining() int })
	if !ok {
		return nil, errors.New("gzip: a reader of gRPC that does not say how much there is")
	}
	b := intake.GetBuffer(len(packedMark) + sized.Remaining())
	_, err := io.ReadFull(r, b[copy(b, packedMark):])
	return b, err
}

// bodyCodec leaves a requestBody encoded, makes a response marshal itself, and passes all other values on.
type bodyCodec struct{ grpcencoding.CodecV2 }

func (c bodyCodec) Unmarshal(data mem.BufferSlice, v any) error {
	if body, ok := v.(*requestBody); ok {
		data.Ref()
		body.data = data
		return nil
	}
	return c.CodecV2.Unmarshal(data, v)
}

func (c bodyCodec) Marshal(v any) (mem.BufferSlice, error) {
	if resp, ok := v.(response); ok {
		b, err := resp.MarshalProto()
		if err != nil {
			return nil, err
		}
		return mem.BufferSlice{mem.SliceBuffer(b)}, nil
	}
	return c.CodecV2.Marshal(v)
}
