/** What every bridge serves, and of which kind it is; see proto/CONFORMANCE.md. */
export const CORE_COMMANDS = {
  echo: 'call',
  add: 'call',
  fail_with: 'call',
  repeat_text: 'call',
  nest: 'call',
  count: 'stream',
  count_then_fail: 'stream',
  count_endlessly: 'stream',
  sleep_ms: 'call',
  block_ms: 'call',
  print_text: 'call',
  grandchild: 'call',
} as const;
