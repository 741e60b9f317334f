package export

import (
	"context"
	"fmt"
	"net"
	"runtime"
	"strconv"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configgrpc"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.40.0"
	"google.golang.org/grpc"

	"github.com/slowburn/slowburn/internal/answer"
)

const grpcMethod = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"

// grpcClient sends requests over gRPC.
type grpcClient struct {
	cfg *GRPCConfig
	set exporter.Settings

	conn *grpc.ClientConn // set by start
	opts []grpc.CallOption
}

func (c *grpcClient) start(ctx context.Context, host component.Host) (err error) {
	agent := configgrpc.WithGrpcDialOption(grpc.WithUserAgent(userAgent(c.set.BuildInfo)))
	c.conn, err = c.cfg.Collector.ClientConfig.ToClientConn(ctx, host.GetExtensions(), c.set.TelemetrySettings, agent)
	c.opts = []grpc.CallOption{grpc.ForceCodecV2(codec{})}
	return err
}

func (c *grpcClient) shutdown(context.Context) error {
	if c.conn == nil {
		return nil
	}
	return c.conn.Close()
}

func (c *grpcClient) send(ctx context.Context, b body) (ptraceotlp.ExportPartialSuccess, *answer.Error) {
	response := ptraceotlp.NewExportResponse()
	err := c.conn.Invoke(ctx, grpcMethod, b, &response, c.opts...)
	return response.PartialSuccess(), answer.FromGRPC(err)
}

// attributes returns the attributes of the exporter's metrics, as the Collector's exporter has them.
func (c *grpcClient) attributes() []attribute.KeyValue {
	endpoint := c.cfg.Collector.ClientConfig.Endpoint
	host, port, err := net.SplitHostPort(endpoint)
	if err != nil {
		return []attribute.KeyValue{semconv.ServerAddress(endpoint)}
	}
	all := []attribute.KeyValue{semconv.ServerAddress(host)}
	if number, err := strconv.Atoi(port); err == nil {
		all = append(all, semconv.ServerPort(number))
	}
	return all
}

func userAgent(build component.BuildInfo) string {
	return fmt.Sprintf("%s/%s (%s/%s)", build.Description, build.Version, runtime.GOOS, runtime.GOARCH)
}
