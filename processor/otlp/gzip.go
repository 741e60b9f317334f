package otlp

import (
	"io"
	"slices"
	"sync"

	"github.com/klauspost/compress/gzip"
	"go.opentelemetry.io/collector/config/confighttp"
)

// gunzip replaces confighttp's decoder for gzip, which is what exporters send by default, where the configuration allows
// it at all. It takes half the time or less and makes no garbage. The size of what comes out is limited as before.
func gunzip(cfg *confighttp.ServerConfig) []confighttp.ToServerOption {
	const name = "gzip"
	if cfg.CompressionAlgorithms != nil && !slices.Contains(cfg.CompressionAlgorithms, name) {
		return nil
	}
	return []confighttp.ToServerOption{confighttp.WithDecoder(name, newGzipBody)}
}

var gzipReaders sync.Pool // of *gzip.Reader

// gzipBody is a request's body, decompressed. Its reader goes back to the pool when it is closed.
type gzipBody struct{ *gzip.Reader }

func newGzipBody(body io.ReadCloser) (io.ReadCloser, error) {
	r, ok := gzipReaders.Get().(*gzip.Reader)
	if !ok {
		r = new(gzip.Reader)
	}
	if err := r.Reset(body); err != nil {
		gzipReaders.Put(r)
		return nil, err
	}
	return &gzipBody{r}, nil
}

// Close gives the reader back. What was wrong with the body, Read has told.
func (b *gzipBody) Close() error {
	if b.Reader != nil {
		gzipReaders.Put(b.Reader)
		b.Reader = nil
	}
	return nil
}
