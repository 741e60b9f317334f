package otlp

import (
	"context"
	"mime"

	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// door takes the requests of one signal and protocol. Its errors are for statusOf.
type door interface {
	Export(ctx context.Context, enc *encoding, body []byte) (response, error)
}

// response is the answer of a door: an ExportResponse of pdata.
type response interface {
	MarshalProto() ([]byte, error)
	MarshalJSON() ([]byte, error)
}

// encoding is one of the two that OTLP has.
type encoding struct {
	name, contentType string
	marshal           func(response) ([]byte, error)
	marshalStatus     func(*spb.Status) ([]byte, error)
}

var (
	protobufEncoding = &encoding{
		name: "protobuf", contentType: "application/x-protobuf",
		marshal:       response.MarshalProto,
		marshalStatus: func(s *spb.Status) ([]byte, error) { return proto.Marshal(s) },
	}
	jsonEncoding = &encoding{
		name: "json", contentType: "application/json",
		marshal:       response.MarshalJSON,
		marshalStatus: func(s *spb.Status) ([]byte, error) { return protojson.Marshal(s) },
	}
)

// encodingOf returns the encoding that a Content-Type names, or nil.
func encodingOf(contentType string) *encoding {
	mediaType, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return nil
	}
	for _, enc := range []*encoding{protobufEncoding, jsonEncoding} {
		if enc.contentType == mediaType {
			return enc
		}
	}
	return nil
}
