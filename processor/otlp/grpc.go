package otlp

import (
	"bytes"
	"context"
	"crypto/tls"
	"runtime"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configgrpc"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configtls"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	grpcencoding "google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"

	"github.com/slowburn/slowburn/processor/otlp/internal/misdirected"
)

// A request of usual size fits these windows: its sender needs not wait for leave to send the rest, nor is the window
// found by pings.
const (
	streamWindow     = 1 << 20
	connectionWindow = 2 << 20
)

// startGRPC opens the gRPC listener if there is to be one. The caller holds mu.
func (r *otlpReceiver) startGRPC(ctx context.Context, h component.Host) error {
	if !r.cfg.Protocols.GRPC.HasValue() {
		return nil
	}
	cfg := r.cfg.Protocols.GRPC.Get()
	obs, err := r.newObsReport("grpc")
	if err != nil {
		return err
	}
	creds, err := r.grpcCredentials(ctx, cfg)
	if err != nil {
		return err
	}
	option := configgrpc.WithGrpcServerOption
	s, err := cfg.ToServer(ctx, h.GetExtensions(), r.set.TelemetrySettings,
		option(grpc.Creds(creds)),                     // in place of those that ToServer makes
		option(grpc.ConnectionTimeout(shutdownGrace)), // a stop waits for connections that have sent nothing yet
		option(grpc.UnknownServiceHandler(r.misdirected.Stream)),
		option(grpc.ForceServerCodecV2(bodyCodec{grpcencoding.GetCodecV2("proto")})),
		option(grpc.InitialWindowSize(streamWindow)),
		option(grpc.InitialConnWindowSize(connectionWindow)),
		// Workers keep the stacks that requests need; goroutines of their own would grow theirs anew each time. What comes
		// while all are busy gets its own all the same.
		option(grpc.NumStreamWorkers(uint32(4*runtime.GOMAXPROCS(0)))))
	if err != nil {
		return err
	}
	if r.traces != nil {
		s.RegisterService(service("trace", "Trace"), r.tracesDoor(obs))
	}
	if r.metrics != nil {
		s.RegisterService(service("metrics", "Metrics"), &metricsDoor{next: r.metrics, obs: obs})
	}
	l, err := cfg.NetAddr.Listen(ctx)
	if err != nil {
		s.Stop()
		return err
	}
	r.misdirected.OpenGRPC(misdirected.PortOf(l, cfg.TLS.HasValue()))
	r.grpc = s
	r.serve("gRPC", cfg.TLS.HasValue(), l, s.Serve, grpc.ErrServerStopped)
	return nil
}

// grpcCredentials returns what the configuration says of TLS, and recognises what is not gRPC.
func (r *otlpReceiver) grpcCredentials(ctx context.Context, cfg *configgrpc.ServerConfig) (credentials.TransportCredentials, error) {
	conf, err := tlsConfig(ctx, cfg.TLS)
	if err != nil {
		return nil, err
	}
	return r.misdirected.Credentials(conf), nil
}

// tlsConfig returns the TLS of a port, nil where it has none. On both ports both versions of HTTP are negotiated: what is not served
// is told what to set.
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

// service describes an OTLP service by hand, because the generated ones decode the request.
func service(pkg, name string) *grpc.ServiceDesc {
	full := "opentelemetry.proto.collector." + pkg + ".v1." + name + "Service"
	handle := func(srv any, ctx context.Context, dec func(any) error, intercept grpc.UnaryServerInterceptor) (any, error) {
		var body requestBody
		if err := dec(&body); err != nil {
			return nil, err
		}
		defer body.free()
		export := func(ctx context.Context, _ any) (any, error) {
			resp, err := srv.(door).Export(ctx, protobufEncoding, body.bytes)
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

// requestBody is a request that is not decoded, to be freed.
type requestBody struct {
	bytes []byte
	piece mem.Buffer    // gRPC's, where the request arrived in one piece
	whole *bytes.Buffer // of bodies, where it arrived in several
}

// read takes a request over. gRPC's own buffers are filled with zeros before each use, so what is copied goes to ours.
func (b *requestBody) read(data mem.BufferSlice) {
	if len(data) == 1 {
		data[0].Ref()
		b.piece, b.bytes = data[0], data[0].ReadOnlyData()
		return
	}
	b.whole = bodies.Get().(*bytes.Buffer)
	b.whole.Grow(data.Len())
	for _, piece := range data {
		b.whole.Write(piece.ReadOnlyData())
	}
	b.bytes = b.whole.Bytes()
}

func (b *requestBody) free() {
	if b.piece != nil {
		b.piece.Free()
	}
	if b.whole != nil {
		recycle(b.whole)
	}
}

// bodyCodec leaves a requestBody as it is, lets a response marshal itself, and passes the rest on.
type bodyCodec struct{ grpcencoding.CodecV2 }

func (c bodyCodec) Unmarshal(data mem.BufferSlice, v any) error {
	if body, ok := v.(*requestBody); ok {
		body.read(data)
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
