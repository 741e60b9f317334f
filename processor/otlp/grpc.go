package otlp

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configgrpc"
	"google.golang.org/grpc"
	grpcencoding "google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
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
	s, err := cfg.ToServer(ctx, h.GetExtensions(), r.set.TelemetrySettings,
		configgrpc.WithGrpcServerOption(grpc.ForceServerCodecV2(bodyCodec{grpcencoding.GetCodecV2("proto")})))
	if err != nil {
		return err
	}
	if r.traces != nil {
		s.RegisterService(service("trace", "Trace"), &tracesDoor{next: r.traces, obs: obs, wirePath: r.cfg.WirePath})
	}
	if r.metrics != nil {
		s.RegisterService(service("metrics", "Metrics"), &metricsDoor{next: r.metrics, obs: obs})
	}
	l, err := cfg.NetAddr.Listen(ctx)
	if err != nil {
		s.Stop()
		return err
	}
	r.grpc = s
	r.serve("gRPC", l, s.Serve, grpc.ErrServerStopped)
	return nil
}

// service describes an OTLP service by hand, because the generated ones decode the request.
func service(pkg, name string) *grpc.ServiceDesc {
	full := "opentelemetry.proto.collector." + pkg + ".v1." + name + "Service"
	handle := func(srv any, ctx context.Context, dec func(any) error, intercept grpc.UnaryServerInterceptor) (any, error) {
		var body requestBody
		if err := dec(&body); err != nil {
			return nil, err
		}
		defer body.Free()
		export := func(ctx context.Context, _ any) (any, error) {
			resp, err := srv.(door).Export(ctx, protobufEncoding, body.ReadOnlyData())
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

// requestBody is a request that is not decoded: a buffer of gRPC's, to be freed.
type requestBody struct{ mem.Buffer }

// bodyCodec leaves a requestBody as it is, copying it only where it arrived in several pieces, lets a response marshal
// itself, and passes the rest on.
type bodyCodec struct{ grpcencoding.CodecV2 }

func (c bodyCodec) Unmarshal(data mem.BufferSlice, v any) error {
	if body, ok := v.(*requestBody); ok {
		body.Buffer = data.MaterializeToBuffer(mem.DefaultBufferPool())
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
