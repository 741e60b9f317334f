package reference

const (
	keyDoc     = "The attribute of a span or a resource."
	invertDoc  = "Keeps the trace when nothing in it matches."
	burstZero  = "twice the rate"
	keysDoc    = "How many keys are told apart. Traces with others share one, `__other__`."
	fieldsText = "`name` and `status` of the root span, and attributes of it or of its resource"
)

// policyRules are those of the sections of policies.
var policyRules = ruleSet{
	"latency":                     {Doc: "One of both is needed."},
	"latency::threshold_ms":       {Min: "0", Default: "0", Doc: "The trace took longer than this, in milliseconds."},
	"latency::upper_threshold_ms": {Min: "1", Zero: "no upper bound", Doc: "The trace took no longer than this, in milliseconds; more than `threshold_ms`."},

	"span_count::min_spans": {Min: "0", Doc: "The least spans of the trace."},
	"span_count::max_spans": {Min: "0", Zero: "no upper bound", Doc: "The most spans of the trace; not less than `min_spans`."},

	"probabilistic::sampling_percentage": {Min: "0", Doc: "The share in percent. 100 and more is all."},
	"probabilistic::hash_salt":           {Text: "any", Doc: "The salt of the hash, with `compat: contrib`. Otherwise it has no meaning, and is warned about."},

	"boolean_attribute::key":          {Required: true, Text: "not empty", Doc: keyDoc},
	"boolean_attribute::value":        {Doc: "The value that it has."},
	"boolean_attribute::invert_match": {Doc: invertDoc},

	"numeric_attribute::key":          {Required: true, Text: "not empty", Doc: keyDoc},
	"numeric_attribute::min_value":    {Text: "any; this or `max_value` is needed", Doc: "The least value."},
	"numeric_attribute::max_value":    {Text: "any; this or `min_value` is needed", Doc: "The greatest value."},
	"numeric_attribute::invert_match": {Doc: invertDoc},

	"string_attribute::key":                    {Required: true, Text: "not empty", Doc: keyDoc},
	"string_attribute::values":                 {Required: true, Text: "at least one", Doc: "The values of which it has one. They are compared as they are, or are regular expressions that match anywhere in the value unless they say ^ and $."},
	"string_attribute::enabled_regex_matching": {Doc: "Whether the values are regular expressions."},
	"string_attribute::cache_max_size":         {Min: "0", Zero: "128", Doc: "How many results of regular expressions are remembered, at most about a million."},
	"string_attribute::invert_match":           {Doc: invertDoc},

	"status_code::status_codes": {Required: true, Text: "at least one of OK, ERROR, UNSET", Doc: "The statuses of which a span has one."},

	"trace_state::key":    {Required: true, Text: "not empty", Doc: "The key in a span's W3C tracestate."},
	"trace_state::values": {Required: true, Text: "at least one", Doc: "The values of which it has one."},

	"ottl_condition::error_mode": {OneOf: []string{"ignore", "silent", "propagate"}, Default: "ignore", Doc: "What becomes of a condition that cannot be evaluated for a span. With ignore and silent the next one is looked at, and silent does not log. With propagate the policy is not for that span."},
	"ottl_condition::span":       {Text: "conditions in OTTL; this or `spanevent` is needed", Doc: "Conditions of which one holds for a span."},
	"ottl_condition::spanevent":  {Text: "conditions in OTTL; this or `span` is needed", Doc: "Conditions of which one holds for an event of a span."},

	"critical_path_ms::threshold_ms": {Required: true, Min: "0", Doc: "The critical path is longer than this, in milliseconds."},
	"critical_path_ms::service":      {Text: "any", Doc: "Only time of spans of this service counts."},
	"critical_path_ms::name":         {Text: "any", Doc: "Only time of spans of this name counts."},

	"failure_mode::modes": {Required: true, Text: "at least one of never_sent, unobserved_peer, intermediary, server_failed, response_lost, server_still_working, caller_error, retries, duplicate_work", Doc: "The ways of which a call failed in one."},

	"orphans::min": {Min: "0", Zero: "1", Doc: "How many spans without their parent, and roots beyond the first, there are at least."},
	"retries::min": {Min: "0", Zero: "1", Doc: "How many repetitions of failed calls there are at least."},

	"bytes_limiting::bytes_per_second": {Required: true, Min: "1", Doc: "How many bytes of spans are kept per second, as they came over the wire."},
	"bytes_limiting::burst_capacity":   {Min: "0", Zero: burstZero, Doc: "How many bytes that were not taken are saved for a burst."},
	"rate_limiting::spans_per_second":  {Required: true, Min: "1", Doc: "How many spans are kept per second."},
	"rate_limiting::burst_capacity":    {Min: "0", Zero: burstZero, Doc: "How many spans that were not taken are saved for a burst."},

	"dynamic":                      {Doc: "One of `spans_per_second` and `sampling_percentage` is needed."},
	"dynamic::spans_per_second":    {Text: "above 0, not together with `sampling_percentage`", Doc: "How many spans the policy keeps per second, over all keys and in the long run."},
	"dynamic::sampling_percentage": {Text: "above 0, at most 100", Doc: "The share in percent of all spans that the policy keeps."},
	"dynamic::adjustment_interval": {Min: "1s", Max: "1h", Zero: "15s", Doc: "How often the keys' shares are worked out anew."},
	"dynamic::weight":              {Text: "0.001 to less than 1", Zero: "0.5", Doc: "The weight of the last interval in the average of a key's rate."},
	"dynamic::key":                 {Text: fieldsText, Default: "[service.name, name, status]", Doc: "By what traces are told apart."},
	"dynamic::max_keys":            {Min: "1", Max: "1000000", Zero: "10000", Doc: keysDoc},

	"rare::traces":   {Min: "0", Zero: "1", Doc: "How many traces of each key are kept in a period."},
	"rare::period":   {Max: "720h", Zero: "15m", Doc: "It begins with the first trace of a key, and anew with the first after it is over."},
	"rare::key":      {Text: fieldsText, Default: "[service.name, name]", Doc: "By what traces are told apart."},
	"rare::max_keys": {Min: "1", Max: "1000000", Zero: "10000", Doc: keysDoc},

	"diversity::period":   {Max: "720h", Zero: "15m", Doc: "It begins for each operation when a trace with it is kept."},
	"diversity::max_keys": {Min: "1", Max: "1000000", Zero: "10000", Doc: "How many operations are told apart. The others are as one."},

	"and::and_sub_policy":   {Required: true, Text: "at least one, of any type but drop and composite", Doc: "Sub-policies that all keep the trace."},
	"not::not_sub_policy":   {Required: true, Text: "of any type but drop and composite", Doc: "The sub-policy that does not keep the trace."},
	"drop::drop_sub_policy": {Required: true, Text: "at least one, of any type but drop and composite", Doc: "Sub-policies that all match a trace which is to be dropped."},

	"composite::max_total_spans_per_second": {Required: true, Min: "1", Doc: "How many spans are kept per second in all."},
	"composite::policy_order":               {Text: "names of sub-policies, each once", Doc: "The order in which sub-policies are asked. Those that are not in it come last, as they are written."},
	"composite::composite_sub_policy":       {Required: true, Text: "at least one, each with a name, of any type but drop and composite", Doc: "The sub-policies that share the rate."},
	"composite::rate_allocation":            {Text: "a sub-policy once", Doc: "Shares of sub-policies. Those without one have equal shares of what is left."},
	"composite::rate_allocation[]::policy":  {Required: true, Text: "the name of a sub-policy", Doc: "Whose share it is."},
	"composite::rate_allocation[]::percent": {Min: "0", Max: "100", Zero: "as if it were not there", Doc: "The share of `max_total_spans_per_second` in percent."},
}
