package export

import (
	"fmt"

	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc/mem"
)

// codec sends requests that are bytes already, and decodes answers.
type codec struct{}

// Marshal implements encoding.CodecV2.
func (codec) Marshal(v any) (mem.BufferSlice, error) {
	b, ok := v.(body)
	if !ok {
		return nil, fmt.Errorf("cannot marshal a %T", v)
	}
	b.Ref() // gRPC frees it after sending
	return mem.BufferSlice{b.Buffer}, nil
}

// Unmarshal implements encoding.CodecV2.
func (codec) Unmarshal(data mem.BufferSlice, v any) error {
	response, ok := v.(*ptraceotlp.ExportResponse)
	if !ok {
		return fmt.Errorf("cannot unmarshal a %T", v)
	}
	return response.UnmarshalProto(data.Materialize())
}

// Name implements encoding.CodecV2. It is the subtype in Content-Type.
func (codec) Name() string { return "proto" }
