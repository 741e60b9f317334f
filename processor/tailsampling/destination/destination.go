// Package destination describes where the kept traces of a tail_sampling processor go. The confmap converter finds
// destinations in the pipelines and writes them into the processor's configuration.
//
// Its one type is Destination, a value; there are no locks.
package destination

// Destination takes kept traces at its own pace. It is an exporter that takes them as bytes, or all components of a
// pipeline that take decoded spans together, because the Collector's fan-out has one answer for them.
type Destination struct {
	// ID is the exporter's if Bytes is set, else the pipeline's.
	ID string `mapstructure:"id"`
	// Pipeline is the ID of the processor's pipeline.
	Pipeline string `mapstructure:"pipeline"`
	// Bytes reports whether kept traces go undecoded.
	Bytes bool `mapstructure:"bytes"`
	// Exporters are the IDs of the exporters and connectors of the destination.
	Exporters []string `mapstructure:"exporters"`
}

// Key identifies a destination over restarts: its component and its pipeline.
func (d Destination) Key() string { return d.ID + " in " + d.Pipeline }
