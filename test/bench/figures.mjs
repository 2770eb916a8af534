/**
 * @typedef {object} Figure
 * @property {string} key name in the JSON
 * @property {string} group the file in `groups/` that measures it, by a function of the figure's key
 * @property {string} title what is divided by what
 * @property {{ atLeast: number } | { atMost: number }} [target] absent: shown for comparison
 * @property {boolean} [inJson] whether the JSON has it; by default, when it has a target
 * @property {boolean} [takesLong] whether `--quick` leaves it out
 */

/** @type {readonly Figure[]} Every figure of the bench, in the order in which they run. */
export const FIGURES = [
  { key: 'raw_ratio_1w64', group: 'calls', title: '1 worker, 64 in flight ÷ raw echo', target: { atLeast: 0.4 } },
  { key: 'host_us_per_call', group: 'calls', title: 'host CPU per call, µs, 2 workers', target: { atMost: 1.3 } },
  { key: 'own_window1_x', group: 'calls', title: '3 workers × 64 ÷ window 1', target: { atLeast: 10 } },
  { key: 'piscina_default_x', group: 'calls', title: '3 workers × 64 ÷ piscina', target: { atLeast: 15 } },
  {
    key: 'piscina_tuned_x',
    group: 'calls',
    title: '3 workers × 64 ÷ piscina, tuned',
    target: { atLeast: 7 },
    // On one CPU its threads wait for each other for seconds before they end.
    takesLong: true,
  },
  { key: 'python_shell_x', group: 'calls', title: '1 worker, 64 in flight ÷ python-shell', target: { atLeast: 2.4 } },
  { key: 'pythonia_x', group: 'calls', title: '1 worker, 64 in flight ÷ pythonia', target: { atLeast: 3.2 } },
  { key: 'python_shell_seq_x', group: 'calls', title: '1 in flight ÷ python-shell', target: { atLeast: 0.9 } },
  { key: 'fastapi_x', group: 'calls', title: '1 worker, 64 in flight ÷ FastAPI', target: { atLeast: 25 } },
  { key: 'nest_decorator_x', group: 'calls', title: '@SnakepitCommand ÷ pool.execute', target: { atLeast: 0.85 } },
  {
    key: 'nest_traced_x',
    group: 'calls',
    title: '@SnakepitCommand, traces at 1 % ÷ pool.execute',
    target: { atLeast: 0.8 },
  },
  {
    key: 'nest_metered_x',
    group: 'calls',
    title: 'the same with metrics on ÷ pool.execute',
    target: { atLeast: 0.85 },
  },
  { key: 'json_codec_x', group: 'calls', title: 'JSON ÷ MessagePack', target: { atLeast: 0.4 } },
  {
    key: 'fast_beside_slow_x',
    group: 'calls',
    title: 'p99 beside slow calls, window 1 ÷ ours',
    target: { atLeast: 15 },
  },
  { key: 'fast_beside_slow_fifo_x', group: 'calls', title: 'p99 beside slow calls, one queue ÷ ours' },
  { key: 'p99_ms_at_50k', group: 'calls', title: 'p99 in ms at 50,000 calls/s, 2 workers', target: { atMost: 1 } },
  { key: 'queue_cost_x', group: 'calls', title: 'cost of a call, 100,000 queued ÷ 100', target: { atMost: 1.3 } },
  {
    key: 'rss_growth_x',
    group: 'calls',
    title: 'host RSS after 5 million calls ÷ 100,000',
    target: { atMost: 1.2 },
    takesLong: true,
  },
  { key: 'bin_1mb_inline_x', group: 'payloads', title: '1 MB inline ÷ JSON + base64', target: { atLeast: 15 } },
  { key: 'bin_1mb_shm_x', group: 'payloads', title: '1 MB ÷ JSON + base64', target: { atLeast: 45 } },
  {
    key: 'bin_16mb_shm_x',
    group: 'payloads',
    title: '16 MB ÷ JSON + base64',
    target: { atLeast: 120 },
    takesLong: true,
  },
  { key: 'bin_16mb_bytes_x', group: 'payloads', title: '16 MB as bytes ÷ JSON + base64' },
  { key: 'bin_16mb_new_x', group: 'payloads', title: '16 MB + 1, by numpy ÷ JSON + base64' },
  { key: 'bin_16mb_unmapped_x', group: 'payloads', title: '16 MB without koffi ÷ JSON + base64' },
  { key: 'stream_chunks_x', group: 'streams', title: 'chunks of one stream ÷ calls', target: { atLeast: 0.8 } },
  { key: 'grpc_raw_x', group: 'grpc', title: '1 worker, 64 in flight ÷ plain gRPC client', target: { atLeast: 0.9 } },
  {
    key: 'grpc_stream_raw_x',
    group: 'grpc',
    title: 'chunks of one stream ÷ plain gRPC client',
    target: { atLeast: 0.9 },
  },
  { key: 'v2_over_grpc_x', group: 'grpc', title: 'calls on a descriptor ÷ over gRPC', target: { atLeast: 20 } },
  { key: 'grpc_16mb_x', group: 'grpc', title: '16 MB ÷ plain gRPC client', target: { atLeast: 0.9 }, takesLong: true },
  {
    key: 'batch_x',
    group: 'batches',
    title: 'calls of a numpy model, 64 callers, batched ÷ single',
    target: { atLeast: 5 },
  },
  { key: 'tool_x', group: 'tools', title: 'calls of a tool, 64 in flight ÷ calls', target: { atLeast: 0.5 } },
  {
    key: 'go_x',
    group: 'languages',
    title: 'calls of 1 Go worker ÷ 1 Python worker',
    target: { atLeast: 1 },
  },
  { key: 'node_x', group: 'languages', title: 'calls of 1 Node worker ÷ 1 Python worker', inJson: true },
  { key: 'r_x', group: 'languages', title: 'calls of 1 R worker ÷ 1 Python worker', inJson: true },
  {
    key: 'ruby_x',
    group: 'languages',
    title: 'calls of 1 Ruby worker ÷ 1 Python worker',
    target: { atLeast: 0.4 },
  },
  {
    key: 'async_concurrency_x',
    group: 'concurrency',
    title: '200 calls that wait 50 ms, concurrency 1 ÷ 100',
    target: { atLeast: 60 },
  },
  {
    key: 'slow_stream_rss_x',
    group: 'streams',
    title: 'RSS while 10 million chunks are read slowly',
    target: { atMost: 1.2 },
    takesLong: true,
  },
  {
    key: 'zygote_start_x',
    group: 'starts',
    title: '16 numpy workers more, spawn ÷ warm zygote',
    target: { atLeast: 10 },
  },
  { key: 'zygote_cold_start_x', group: 'starts', title: 'pool of 16 numpy workers, spawn ÷ zygote', inJson: true },
  { key: 'zygote_pss_x', group: 'starts', title: 'their memory (PSS), zygote ÷ spawn', target: { atMost: 0.3 } },
  { key: 'spawn_per_call_x', group: 'starts', title: '3 workers × 64 ÷ a process per call' },
];

export const GROUPS = [...new Set(FIGURES.map(({ group }) => group))];

/** Whether `--quick` measures a figure: what the JSON has, and does not take long. */
export function isQuick(figure) {
  return isInJson(figure) && !figure.takesLong;
}

/**
 * Whether the JSON has a figure; others are shown for comparison only.
 *
 * @param {Figure} figure
 */
export function isInJson({ inJson, target }) {
  return inJson ?? target !== undefined;
}
