package policy

// Type says what a policy looks at.
type Type string

// The supported types.
const (
	AlwaysSample     Type = "always_sample"
	And              Type = "and"
	BooleanAttribute Type = "boolean_attribute"
	BytesLimiting    Type = "bytes_limiting"
	Composite        Type = "composite"
	CriticalPathMs   Type = "critical_path_ms"
	Diversity        Type = "diversity"
	Drop             Type = "drop"
	Dynamic          Type = "dynamic"
	FailureMode      Type = "failure_mode"
	Latency          Type = "latency"
	Not              Type = "not"
	NumericAttribute Type = "numeric_attribute"
	Orphans          Type = "orphans"
	OTTLCondition    Type = "ottl_condition"
	Probabilistic    Type = "probabilistic"
	Rare             Type = "rare"
	RateLimiting     Type = "rate_limiting"
	Retries          Type = "retries"
	SpanCount        Type = "span_count"
	StatusCode       Type = "status_code"
	StringAttribute  Type = "string_attribute"
	TraceFlags       Type = "trace_flags"
	TraceState       Type = "trace_state"
)

var (
	// simpleTypes have no sub-policies.
	simpleTypes = []Type{
		AlwaysSample, BooleanAttribute, BytesLimiting, Latency, NumericAttribute, OTTLCondition, Probabilistic, RateLimiting, SpanCount,
		StatusCode, StringAttribute, TraceFlags, TraceState,
		Diversity, Dynamic, Rare, CriticalPathMs, FailureMode, Orphans, Retries,
	}
	// subTypes can be sub-policies.
	subTypes = append([]Type{And, Not}, simpleTypes...)
	allTypes = append([]Type{Composite, Drop}, subTypes...)
)

// Config is one entry of tail_sampling::policies, or of a policy's sub-policies. Of the keys after type it has the one
// that is named as its type; always_sample and trace_flags have none. Compile validates it.
type Config struct {
	// Name is written to kept spans and metrics. Policies must have one, and no two the same; sub-policies may.
	Name string `mapstructure:"name"`
	Type Type   `mapstructure:"type"`

	Latency          *LatencyConfig          `mapstructure:"latency"`
	StatusCode       *StatusCodeConfig       `mapstructure:"status_code"`
	StringAttribute  *StringAttributeConfig  `mapstructure:"string_attribute"`
	NumericAttribute *NumericAttributeConfig `mapstructure:"numeric_attribute"`
	BooleanAttribute *BooleanAttributeConfig `mapstructure:"boolean_attribute"`
	OTTLCondition    *OTTLConditionConfig    `mapstructure:"ottl_condition"`
	Probabilistic    *ProbabilisticConfig    `mapstructure:"probabilistic"`
	RateLimiting     *RateLimitingConfig     `mapstructure:"rate_limiting"`
	BytesLimiting    *BytesLimitingConfig    `mapstructure:"bytes_limiting"`
	SpanCount        *SpanCountConfig        `mapstructure:"span_count"`
	TraceState       *TraceStateConfig       `mapstructure:"trace_state"`
	And              *AndConfig              `mapstructure:"and"`
	Not              *NotConfig              `mapstructure:"not"`
	Drop             *DropConfig             `mapstructure:"drop"`
	Dynamic          *DynamicConfig          `mapstructure:"dynamic"`
	Rare             *RareConfig             `mapstructure:"rare"`
	Diversity        *DiversityConfig        `mapstructure:"diversity"`
	Composite        *CompositeConfig        `mapstructure:"composite"`
	CriticalPathMs   *CriticalPathConfig     `mapstructure:"critical_path_ms"`
	FailureMode      *FailureModeConfig      `mapstructure:"failure_mode"`
	Orphans          *OrphansConfig          `mapstructure:"orphans"`
	Retries          *RetriesConfig          `mapstructure:"retries"`

	// Rest are the keys that are none of these. Any is an error, but told by Compile, which knows whether it belongs to
	// a type that contrib has.
	Rest map[string]any `mapstructure:",remain"`
}

// section is the part of a Config that is named as its type.
type section interface {
	// compile validates the section and makes a rule of it. Errors begin with the section's own key.
	compile(c *compiler) (rule, error)
}

// sections are those that the entry has.
func (cfg *Config) sections() map[Type]section {
	s := map[Type]section{}
	if cfg.Latency != nil {
		s[Latency] = cfg.Latency
	}
	if cfg.StatusCode != nil {
		s[StatusCode] = cfg.StatusCode
	}
	if cfg.StringAttribute != nil {
		s[StringAttribute] = cfg.StringAttribute
	}
	if cfg.NumericAttribute != nil {
		s[NumericAttribute] = cfg.NumericAttribute
	}
	if cfg.BooleanAttribute != nil {
		s[BooleanAttribute] = cfg.BooleanAttribute
	}
	if cfg.OTTLCondition != nil {
		s[OTTLCondition] = cfg.OTTLCondition
	}
	if cfg.Probabilistic != nil {
		s[Probabilistic] = cfg.Probabilistic
	}
	if cfg.RateLimiting != nil {
		s[RateLimiting] = cfg.RateLimiting
	}
	if cfg.BytesLimiting != nil {
		s[BytesLimiting] = cfg.BytesLimiting
	}
	if cfg.SpanCount != nil {
		s[SpanCount] = cfg.SpanCount
	}
	if cfg.TraceState != nil {
		s[TraceState] = cfg.TraceState
	}
	if cfg.Not != nil {
		s[Not] = cfg.Not
	}
	if cfg.And != nil {
		s[And] = cfg.And
	}
	if cfg.Composite != nil {
		s[Composite] = cfg.Composite
	}
	if cfg.Drop != nil {
		s[Drop] = cfg.Drop
	}
	if cfg.Dynamic != nil {
		s[Dynamic] = cfg.Dynamic
	}
	if cfg.Diversity != nil {
		s[Diversity] = cfg.Diversity
	}
	if cfg.Rare != nil {
		s[Rare] = cfg.Rare
	}
	if cfg.CriticalPathMs != nil {
		s[CriticalPathMs] = cfg.CriticalPathMs
	}
	if cfg.FailureMode != nil {
		s[FailureMode] = cfg.FailureMode
	}
	if cfg.Orphans != nil {
		s[Orphans] = cfg.Orphans
	}
	if cfg.Retries != nil {
		s[Retries] = cfg.Retries
	}
	return s
}
