package misdirected

import (
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

// Stream answers a call of a gRPC service that is not served. It is a grpc.StreamHandler.
func (r *Requests) Stream(_ any, s grpc.ServerStream) error {
	method, _ := grpc.MethodFromServerStream(s)
	q := request{kind: kindOf(method), transport: "grpc", gRPC: true, what: method}
	if md, ok := metadata.FromIncomingContext(s.Context()); ok {
		if authority := md.Get(":authority"); len(authority) > 0 {
			q.host = authority[0]
		}
	}
	if p, ok := peer.FromContext(s.Context()); ok {
		q.from = p.Addr.String()
	}
	return status.Error(codes.Unimplemented, r.report(s.Context(), q))
}
