# frozen_string_literal: true

# The worker that proto/CONFORMANCE.md asks for.

require 'snakepit_bridge'

# Carries data.
class Failure < StandardError
  attr_reader :data

  def initialize(message, data)
    super(message)
    @data = data
  end
end

Snakepit.worker do
  on_start do
    @closed_sessions = []
    @last_words = nil
  end
  on_session_close { |session| @closed_sessions << session.id }
  on_shutdown { puts @last_words if @last_words }

  def outcome
    { returned: yield }
  rescue Snakepit::HostError => error
    { failed: { code: error.code, message: error.remote_message } }
  end

  def counting_bytes(count)
    row = (0..250).to_a.pack('C*')
    (row * (count / row.bytesize + 1)).byteslice(0, count)
  end

  # Core.

  command(:echo) { |value:| value }
  command(:add, params: { a: Integer, b: Integer }) { |a:, b:| a + b }
  command def fail_with(message:)
    raise message
  end
  command(:repeat_text) { |text:, times:| text * times }
  command(:nest) { |depth:| depth.times.inject(0) { |value, _| [value] } }
  stream(:count) { |n:| n.times }

  stream :count_then_fail do |n:, message:, &emit|
    n.times(&emit)
    raise message
  end

  stream :count_endlessly do |ctx:, &emit|
    (0..).each(&emit)
  ensure
    ctx.emit('conformance.stream_closed')
  end

  command :sleep_ms do |ms:, ctx:|
    ctx.sleep(ms / 1000.0)
    ms
  end

  command :block_ms do |ms:|
    sleep(ms / 1000.0)
    ms
  end

  command :print_text do |text:|
    [$stdout, $stderr].each do |io|
      io.puts(text)
      io.flush
    end
    nil
  end

  command(:grandchild) { spawn('sleep', '60') }

  # Options.

  command(:fail_with_data) { |message:, data:| raise Failure.new(message, data) }
  command(:deadline_ms) { |ctx:| ctx.deadline_seconds&.*(1000) }

  command :context do |ctx:|
    { session: ctx.session&.id, trace: ctx.trace.empty? ? nil : ctx.trace, context: ctx.context }
  end

  command(:progress) { |values:, ctx:| values.each { |value| ctx.progress(value) }.size }

  command :log_record do |level:, message:, fields:, ctx:|
    ctx.log.public_send(level, message, **fields.transform_keys(&:to_sym))
  end

  command(:emit_event) { |name:, data:, ctx:| ctx.emit(name, data) }
  command(:measure) { |name:, amount:, ctx:| ctx.metrics.count(name, amount, table: 'orders') }
  command(:make_bytes) { |n:| counting_bytes(n) }
  command(:sum_bytes) { |data:| data.each_byte.sum }
  stream(:stream_bytes) { |n:, times:| times.times.lazy.map { counting_bytes(n) } }
  command(:call_tool) { |name:, args:, ctx:| outcome { ctx.tools.call(name, args) } }
  command(:send_message) { |pattern:, data:, ctx:| outcome { ctx.send(pattern, data) } }

  command :session_put do |key:, value:, ctx:|
    ctx.session[key] = value
    nil
  end

  command(:session_get) { |key:, ctx:| ctx.session[key] }
  command(:session_delete) { |key:, ctx:| ctx.session.delete(key) }
  command(:session_keys) { |ctx:| ctx.session.keys }

  command :program_put do |key:, value:, ctx:|
    ctx.session.programs[key] = value
    nil
  end

  command :global_put do |key:, value:, ctx:|
    ctx.globals[key] = value
    nil
  end

  command(:closed_sessions) { @closed_sessions }

  command :read_input do |chunk_bytes:, ctx:|
    total = sum = 0
    while (chunk = ctx.input.read(chunk_bytes))
      total += chunk.bytesize
      sum += chunk.each_byte.sum
    end
    { bytes: total, sum: sum }
  end

  command :print_at_exit do |text:|
    @last_words = text
    nil
  end

  command :batch_double, batch: { max_size: 8 } do |items|
    items.map { |item| item['n'].negative? ? ArgumentError.new('negative') : 2 * item['n'] }
  end
end
