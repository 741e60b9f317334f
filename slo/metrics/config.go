package metrics

// Config is the configuration of the receiver `slo_metrics`.
type Config struct {
	// Sloth sends the figures under the names of Sloth's recording rules too, for dashboards that read those.
	Sloth bool `mapstructure:"sloth"`

	_ struct{}
}
