// Package destination says where the kept traces of a tail_sampling processor go, as the confmap converter found it in the
// pipelines and wrote it into the processor's configuration.
//
// Its one type is Destination, a value; there are no locks.
package destination

// Destination is who takes kept traces at a pace of its own: an exporter that takes them as bytes, or all components of a
// pipeline together that take decoded spans, because the Collector's fan-out has one answer for them.
type Destination struct {
	// ID is that of the exporter where Bytes is set, else that of the pipeline.
	ID string `mapstructure:"id"`
	// Pipeline is the ID of the pipeline that the processor is in.
	Pipeline string `mapstructure:"pipeline"`
	// Bytes says that kept traces go as the bytes that they came as.
	Bytes bool `mapstructure:"bytes"`
	// Exporters are the IDs of the exporters and connectors that the destination stands for.
	Exporters []string `mapstructure:"exporters"`
}

// Key is what a destination is known by over a restart: its component and its pipeline.
func (d Destination) Key() string { return d.ID + " in " + d.Pipeline }
