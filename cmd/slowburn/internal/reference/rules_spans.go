package reference

// otlpRules are those of receivers::otlp.
var otlpRules = ruleSet{
	"":                                    {Doc: "Receives OTLP over gRPC and HTTP. It has the keys of the Collector's receiver, and some of its own."},
	"::protocols":                         {Doc: "The protocols to listen on, at least one. A protocol without a key is off."},
	"::protocols::grpc":                   {Doc: "OTLP over gRPC."},
	"::protocols::http":                   {Doc: "OTLP over HTTP, as protobuf and as JSON."},
	"::wire_path":                         {Hidden: true},
	"::intake_budget":                     {Min: "1MiB", Zero: "the default", Default: "an eighth of the memory limit, 64MiB to 512MiB", Doc: "The memory for requests that are being received: bodies, and their decompressed and decoded forms. All receivers of a process share it, so those that set it must agree."},
	"::max_connections":                   {Min: "1", Doc: "The most concurrent connections of each listener. Further ones are closed at once."},
	"::max_resource_size":                 {Min: "4KiB", Max: "1MiB", Doc: "The largest size of a resource or scope, its attributes and names, in bytes of protobuf. Both are stored and sent with every trace that has them. Spans of larger ones are rejected by partial success."},
	"::receive_timeout":                   {Min: "1ms", Text: "above 0", Doc: "The time limit for receiving a request, from its headers to its last byte, over either protocol."},
	"::protocols::http::traces_url_path":  {Text: "the path of a URL, other than `metrics_url_path`", Doc: "The path for traces."},
	"::protocols::http::metrics_url_path": {Text: "the path of a URL, other than `traces_url_path`", Doc: "The path for metrics."},
}

// samplerRules are those of processors::tail_sampling.
var samplerRules = ruleSet{
	"":                                         {Doc: "Buffers whole traces and keeps those that a policy samples. It has the keys of contrib's processor of this name, and more."},
	"::decision_wait":                          {Min: "1ms"},
	"::decision_wait_after_root_received":      {Min: "0", Zero: "off, the trace waits for `decision_wait`", Doc: "A trace with its root span is decided after this time without a new span, and after `decision_wait` at the latest."},
	"::num_traces":                             {Min: "0", Zero: "no limit", Doc: "The most traces that wait for a decision. Over the limit the oldest trace that no policy is certain to sample is decided early."},
	"::expected_new_traces_per_sec":            {Min: "0", Doc: "Has no meaning here, and a warning says so: memory grows as needed."},
	"::block_on_overflow":                      {Doc: "Has no meaning here, and a warning says so: over `num_traces` traces are decided early, and over `memory_budget` or `disk_budget` spans are refused."},
	"::decision_cache":                         {Doc: "The number of latest decisions that are remembered for late spans. Each takes up to 56 bytes."},
	"::decision_cache::sampled_cache_size":     {Min: "0", Max: "1073741824", Doc: "The number of decisions about sampled traces. With 0 their late spans are decided as traces of their own."},
	"::decision_cache::non_sampled_cache_size": {Min: "0", Max: "1073741824", Doc: "The number of decisions about traces that were not sampled or were dropped."},
	"::sample_on_first_match":                  {Doc: "Whether policies after the first that samples a trace are not evaluated, so that their limits are not charged."},
	"::sampling_strategy":                      {OneOf: []string{"trace-complete", "span-ingest"}, Doc: "With span-ingest a trace is decided as soon as no further span can change its decision, and otherwise at `decision_wait`."},
	"::drop_pending_traces_on_shutdown":        {Doc: "Whether undecided traces are not sampled at a shutdown, regardless of the policies."},
	"::decide_on_shutdown":                     {Text: "not together with `drop_pending_traces_on_shutdown`", Doc: "Whether a shutdown decides undecided traces and delivers those that are kept within `shutdown_timeout`, for a gateway that loses its disk. Otherwise they stay on disk for the next start."},
	"::maximum_trace_size_bytes":               {Min: "0", Zero: "no limit", Doc: "The size of a trace's spans from which on only its root, spans with errors and very long spans are added. At twice the size the trace is decided, and later spans follow the decision."},
	"::num_shards":                             {Min: "1", Max: "256", Zero: "twice the number of CPUs, rounded up to a power of two", Doc: "The number of parts of the buffer, which work in parallel."},
	"::tail_storage":                           {Text: "any", Doc: "Has no meaning here, and a warning says so: `storage` sets the place of buffered spans."},
	"::policies":                               {Text: "no two with one name; not together with `rules`", Doc: "The [policies](#policies), all of which are evaluated: any of them can keep a trace."},
	"::rules":                                  {Text: "no two with one name; not together with `policies`", Doc: "Rules instead of policies: the first rule that matches decides."},
	"::rules[]::name":                          {Required: true, Text: "not empty", Doc: "The name of the rule on kept spans and in metrics."},
	"::rules[]::match":                         {Text: "a policy that selects traces, without a rate", Default: "every trace", Doc: "A policy without a name. A rule of type `drop` precedes all others and has no `sample`."},
	"::rules[]::sample":                        {Text: "0 to 100 (percent), always, never, or a policy with a rate", Doc: "The share of the rule's traces that is kept."},
	"::compat":                                 {OneOf: []string{"contrib"}, Doc: "With contrib, policies decide as contrib's processor does, its deviations from its documentation included."},
	"::watch":                                  {Min: "1s", Zero: "never", Doc: "The interval at which the configuration is read, so that changed policies are reloaded."},
	"::shadow":                                 {Doc: "A second set of policies or rules for the same traces, whose decisions are only counted."},
	"::shadow::policies":                       {Text: "as `policies`", Doc: "The policies of the shadow."},
	"::shadow::rules":                          {Text: "as `rules`", Doc: "The rules of the shadow."},
	"::explain":                                {Doc: "Remembers decisions, so that they can be explained."},
	"::explain::decisions":                     {Min: "0", Max: "1073741824", Zero: "none", Doc: "The number of latest decisions that can be explained. Each takes about 120 bytes, and 16 more for every 64 policies after the first 64."},
	"::revive_window":                          {Min: "0", Zero: "off", Doc: "The time for which a trace that was not sampled stays in the buffer, so that late spans can change the decision. It stays only while there is room."},
	"::revive_budget":                          {Min: "1MiB", Zero: "a quarter of `disk_budget`, with storage memory of `memory_budget`", Doc: "The most bytes of spans that stay for `revive_window`. The oldest traces leave first."},
	"::objective_exemplars":                    {Min: "1", Max: "10", Zero: "none", Doc: "The most traces with a bad event that are kept for one objective and minute although no policy samples them. They have no weight."},
	"::linked_traces":                          {Doc: "Keeps traces that span links connect with a kept trace."},
	"::linked_traces::enabled":                 {Doc: "Whether linked traces are kept if they are undecided or in `revive_window`. They have no weight."},
	"::linked_traces::max_links_per_span":      {Min: "1", Max: "1024", Doc: "The most links of a span that count."},
	"::linked_traces::max_links_per_trace":     {Min: "1", Max: "1024", Doc: "The most other traces that a trace is linked with."},
	"::linked_traces::max_links":               {Min: "1", Max: "1073741824", Doc: "The number of latest links between traces that are remembered. Each takes up to 110 bytes."},
	"::storage":                                {OneOf: []string{"disk", "memory"}, Doc: "The place of buffered spans. On disk they survive a crash."},
	"::directory":                              {Text: "not empty with storage disk", Doc: "The directory of the files with storage disk. One processor of one process can use it."},
	"::disk_budget":                            {Text: "at least 128KiB for each shard", Doc: "The disk space for buffered spans and the journal of decisions. Near the limit traces are decided early, over it spans are refused."},
	"::fsync":                                  {OneOf: []string{"never", "interval", "always"}, Doc: "The time at which files are flushed to the disk, which bounds the loss at a power cut: never leaves it to the system, interval flushes every `fsync_interval`, always flushes before a request is answered."},
	"::fsync_interval":                         {Text: "above 0", Doc: "The interval of flushes with `fsync: interval`."},
	"::compression":                            {OneOf: []string{"never", "auto", "always"}, Doc: "The compression of segments that are no longer written to. With auto they are compressed when a budget is nearly used up."},
	"::memory_budget":                          {Text: "at least 128KiB for each shard", Default: "512MiB, less where the memory limit is below 1GiB: eleven sixteenths of it less 192MiB, at least 16MiB", Doc: "The memory for buffered spans and their index. Near the limit traces are decided early, over it spans are refused. Remembered decisions are not included."},
	"::delivery_budget":                        {Min: "1MiB", Text: "1MiB to three quarters of `disk_budget`, with storage memory of `memory_budget`", Zero: "half of it", Doc: "The most bytes of spans that wait for delivery, in equal shares for the destinations. Unused shares are lent."},
	"::when_full":                              {OneOf: []string{"give_up", "refuse"}, Doc: "The behavior over `delivery_budget`: with give_up the destination that exceeds its share most loses its oldest traces, with refuse new spans are refused."},
	"::refusal_patience":                       {Min: "1ms", Doc: "The time for which traces wait for a destination that refuses the gateway itself, as for a wrong credential. Then they are given up."},
	"::attributes":                             {OneOf: []string{"on", "off"}, Doc: "Whether facts about a kept trace, such as its policy, are written on it. Its weight is written either way."},
	"::shutdown_timeout":                       {Text: "above 0", Doc: "The longest wait of a shutdown for the next component to accept kept traces."},
	"::destinations":                           {Hidden: true},
}

// exportRules are those of exporters::otlp_grpc and otlp_http.
var exportRules = ruleSet{
	"":                   {Doc: "Sends OTLP. It has the keys of the Collector's exporter and one of its own. Queue and retries are off, as tail_sampling holds undelivered traces. Kept traces are sent as the bytes that arrived."},
	"::max_request_size": {Min: "64KiB", Max: "1GiB", Doc: "The largest request with kept traces, uncompressed. Backends accept 4MiB by default."},
}

// storeRules are those of exporters::trace_store.
var storeRules = ruleSet{
	"":                {Doc: "Keeps recent kept traces for the dashboard and the API, in the file traces.db."},
	"::directory":     {Text: "not empty", Doc: "The directory of traces.db. It is created if it is missing."},
	"::retention":     {Text: "above 0"},
	"::max_bytes":     {Min: "1MiB", Doc: "The bytes of the file that may be in use. Over the limit the oldest traces are evicted."},
	"::min_free_disk": {Text: "any", Zero: "5 % of the volume, and at most 1GiB", Doc: "The free space of the volume that is left to others, above all to the span log. Below it the file does not grow, and new traces replace the oldest."},
}

// reconstructRules are those of processors::reconstruct.
var reconstructRules = ruleSet{
	"":            {Doc: "Rebuilds the tree of each kept trace, finds clocks that disagree, and writes the results on the spans as attributes."},
	"::max_spans": {Min: "1", Doc: "The most spans of a trace that is reconstructed. Larger traces are passed on unchanged, and counted."},
}
