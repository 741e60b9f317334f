package reference

// otlpRules are those of receivers::otlp.
var otlpRules = ruleSet{
	"":                                    {Doc: "Takes OTLP over gRPC and HTTP. It is the Collector's receiver, with keys of its own."},
	"::protocols":                         {Doc: "The protocols to listen on, at least one. One that is not written is off."},
	"::protocols::grpc":                   {Doc: "OTLP over gRPC."},
	"::protocols::http":                   {Doc: "OTLP over HTTP, as protobuf and as JSON."},
	"::wire_path":                         {Hidden: true},
	"::intake_budget":                     {Min: "1MiB", Zero: "the default", Default: "an eighth of the memory limit, 64MiB to 512MiB", Doc: "Memory that requests may take on their way in: bodies, and what they are decompressed and decoded to. All receivers of a process share it, so those that set it must agree."},
	"::max_connections":                   {Min: "1", Doc: "How many connections each listener takes at a time. Further ones are closed at once."},
	"::max_resource_size":                 {Min: "4KiB", Max: "1MiB", Doc: "How long the attributes and names of a resource may be, in bytes of protobuf, and those of a scope: they are stored and sent with every trace that has them. Spans of larger ones are rejected by partial success."},
	"::receive_timeout":                   {Min: "1ms", Text: "above 0", Doc: "The time within which a request has to have arrived, from its headers to its last byte, over either protocol."},
	"::protocols::http::traces_url_path":  {Text: "the path of a URL, other than `metrics_url_path`", Doc: "The path that traces are posted to."},
	"::protocols::http::metrics_url_path": {Text: "the path of a URL, other than `traces_url_path`", Doc: "The path that metrics are posted to."},
}

// samplerRules are those of processors::tail_sampling.
var samplerRules = ruleSet{
	"":                                         {Doc: "Buffers whole traces and keeps those that a policy samples. It has the keys of contrib's processor of this name, and more."},
	"::decision_wait":                          {Min: "1ms"},
	"::decision_wait_after_root_received":      {Min: "0", Zero: "it waits for `decision_wait` too", Doc: "A trace that has its root span is decided once no span came for so long, before `decision_wait` is over."},
	"::num_traces":                             {Min: "0", Zero: "no limit", Doc: "The most traces that wait for a decision. Over it the oldest one that no policy is certain to sample is decided early."},
	"::expected_new_traces_per_sec":            {Min: "0", Doc: "Has no meaning here, and is warned about: memory grows as needed."},
	"::block_on_overflow":                      {Doc: "Has no meaning here, and is warned about: over `num_traces` traces are decided early, and over `memory_budget` or `disk_budget` spans are refused."},
	"::decision_cache":                         {Doc: "How many decisions are remembered for late spans, the latest ones. They take up to 56 bytes each."},
	"::decision_cache::sampled_cache_size":     {Min: "0", Max: "1073741824", Doc: "For sampled traces. With 0 their late spans are decided as traces of their own."},
	"::decision_cache::non_sampled_cache_size": {Min: "0", Max: "1073741824", Doc: "For traces that were not sampled, or dropped."},
	"::sample_on_first_match":                  {Doc: "Policies after the first that samples a trace are not asked: limits are not charged."},
	"::sampling_strategy":                      {OneOf: []string{"trace-complete", "span-ingest"}, Doc: "With span-ingest a trace is decided as soon as its decision is certain, whatever spans follow, and else at `decision_wait`."},
	"::drop_pending_traces_on_shutdown":        {Doc: "At shutdown, what is undecided is not sampled, whatever the policies say."},
	"::decide_on_shutdown":                     {Text: "not together with `drop_pending_traces_on_shutdown`", Doc: "At shutdown, what is undecided is decided, and what is kept of it delivered within `shutdown_timeout`: for a gateway whose disk goes with it. Otherwise it stays on disk for the next start."},
	"::maximum_trace_size_bytes":               {Min: "0", Zero: "no limit", Doc: "From this size of a trace's spans on only its root, spans with errors and very long ones are added to it. At twice the size it is decided, and later spans follow the decision."},
	"::num_shards":                             {Min: "1", Max: "256", Zero: "twice the number of CPUs, rounded up to a power of two", Doc: "How many parts the buffer has, which work in parallel."},
	"::tail_storage":                           {Text: "any", Doc: "Has no meaning here, and is warned about: `storage` says where spans are buffered."},
	"::policies":                               {Text: "no two with one name; not together with `rules`", Doc: "The [policies](#policies), all of which are asked: any of them can keep a trace."},
	"::rules":                                  {Text: "no two with one name; not together with `policies`", Doc: "Rules in place of policies: the first that matches decides."},
	"::rules[]::name":                          {Required: true, Text: "not empty", Doc: "What kept spans and metrics call the rule."},
	"::rules[]::match":                         {Text: "one that says which traces, not how many", Default: "every trace", Doc: "A policy without a name. One of type `drop` goes before all rules and has no `sample`."},
	"::rules[]::sample":                        {Text: "0 to 100 (percent), always, never, or a policy with a rate", Doc: "How many of the rule's traces are kept."},
	"::compat":                                 {OneOf: []string{"contrib"}, Doc: "With contrib, policies decide as those of contrib's processor do, its deviations from its documentation included."},
	"::watch":                                  {Min: "1s", Zero: "never", Doc: "How often the configuration is read to see whether it has changed, so that its policies are taken."},
	"::shadow":                                 {Doc: "A second set of policies or rules, which decides the same traces and is only counted."},
	"::shadow::policies":                       {Text: "as `policies`", Doc: "The policies of the shadow."},
	"::shadow::rules":                          {Text: "as `rules`", Doc: "The rules of the shadow."},
	"::explain":                                {Doc: "How much is remembered to explain decisions."},
	"::explain::decisions":                     {Min: "0", Max: "1073741824", Zero: "none", Doc: "How many of the latest decisions can be explained. Each takes about 120 bytes, and 16 more for every 64 policies after the first."},
	"::revive_window":                          {Min: "0", Zero: "not at all", Doc: "How long a trace that was not sampled stays, so that a late span can make the policies sample it after all. It stays only while there is room."},
	"::revive_budget":                          {Min: "1MiB", Zero: "a quarter of `disk_budget`, with storage memory of `memory_budget`", Doc: "The most bytes of spans of traces that stay for `revive_window`. The oldest leave first."},
	"::linked_traces":                          {Doc: "Keeps traces because those that span links connect with them are kept."},
	"::linked_traces::enabled":                 {Doc: "Whether linked traces that wait for a decision, or for being revived, are kept. They have no weight."},
	"::linked_traces::max_links_per_span":      {Min: "1", Max: "1024", Doc: "How many links of a span are looked at."},
	"::linked_traces::max_links_per_trace":     {Min: "1", Max: "1024", Doc: "With how many other traces one can be linked."},
	"::linked_traces::max_links":               {Min: "1", Max: "1073741824", Doc: "How many links between traces are remembered, the latest ones. They take up to 110 bytes each."},
	"::storage":                                {OneOf: []string{"disk", "memory"}, Doc: "Where spans are buffered. On disk they survive a crash."},
	"::directory":                              {Text: "not empty with storage disk", Doc: "Where the files are, with storage disk. One process, and one processor in it, can use it."},
	"::disk_budget":                            {Text: "at least 128KiB for each shard", Doc: "The most disk for buffered spans and the journal of decisions. Near it traces are decided early, over it spans are refused."},
	"::fsync":                                  {OneOf: []string{"never", "interval", "always"}, Doc: "When files are flushed to the disk, which is what a power cut may cost: never leaves it to the system, always does it before a request is answered."},
	"::fsync_interval":                         {Text: "above 0", Doc: "How often files are flushed, with fsync interval."},
	"::compression":                            {OneOf: []string{"never", "auto", "always"}, Doc: "When segments that are not written to any more are compressed. With auto it is when a budget gets short."},
	"::memory_budget":                          {Text: "at least 128KiB for each shard", Default: "512MiB, less where the memory limit is below 1GiB: eleven sixteenths of it less 192MiB, at least 16MiB", Doc: "The most memory for buffered spans and their index. Near it traces are decided early, over it spans are refused. What is remembered of decisions comes on top."},
	"::delivery_budget":                        {Min: "1MiB", Text: "1MiB to three quarters of `disk_budget`, with storage memory of `memory_budget`", Zero: "half of it", Doc: "The most bytes of spans that wait for their delivery, in equal shares of the destinations. Shares that are not used are lent."},
	"::when_full":                              {OneOf: []string{"give_up", "refuse"}, Doc: "What happens over `delivery_budget`: with give_up the destination that is most over its share loses its oldest traces, with refuse new spans are refused."},
	"::refusal_patience":                       {Min: "1ms", Doc: "How long traces wait for a destination that refuses the gateway itself, as for a wrong credential. Then they are given up."},
	"::attributes":                             {OneOf: []string{"on", "off"}, Doc: "Whether facts about a kept trace, such as its policy, are written on it. Its weight is written either way."},
	"::shutdown_timeout":                       {Text: "above 0", Doc: "How long a shutdown waits for the next component to accept kept traces."},
	"::destinations":                           {Hidden: true},
}

// exportRules are those of exporters::otlp_grpc and otlp_http.
var exportRules = ruleSet{
	"":                   {Doc: "Sends OTLP. It is the Collector's exporter, with its queue and retries off, as tail_sampling holds what a backend does not take; and with a key of its own. Kept traces travel as the bytes that they came as."},
	"::max_request_size": {Min: "64KiB", Max: "1GiB", Doc: "How large a request with kept traces may be, uncompressed. Backends take 4MiB by default."},
}

// storeRules are those of exporters::trace_store.
var storeRules = ruleSet{
	"":                {Doc: "Keeps recent kept traces for the dashboard and the API, in the file traces.db."},
	"::directory":     {Text: "not empty", Doc: "The directory of traces.db. It is made if need be."},
	"::retention":     {Text: "above 0"},
	"::max_bytes":     {Min: "1MiB", Doc: "How much of the file may be in use. Over it the oldest traces leave."},
	"::min_free_disk": {Text: "any", Zero: "5 % of the volume, and at most 1GiB", Doc: "How much of the volume's free space is left to others, the span log first of all. Below it the file does not grow, and the oldest traces leave for new ones."},
}

// reconstructRules are those of processors::reconstruct.
var reconstructRules = ruleSet{
	"":            {Doc: "Rebuilds the tree of each kept trace, finds out whose clocks disagree, and writes that on the spans as attributes."},
	"::max_spans": {Min: "1", Doc: "The largest trace that is looked into. Larger ones are passed on as they came, and counted."},
}
