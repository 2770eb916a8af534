# frozen_string_literal: true

require_relative 'call_log'
require_relative 'errors'
require_relative 'session'
require_relative 'tools'

module Snakepit
  # One call, as seen by the command that serves it: a block gets it by a keyword `ctx:`.
  class Context
    RESERVED = 'snakepit.'

    # `trace` is the W3C trace context that the caller sent, and `context` the application's values; both are maps.
    attr_reader :command, :call_id, :trace, :context

    def initialize(runtime, command, call_id, deadline, meta)
      @runtime = runtime
      @command = command
      @call_id = call_id
      @deadline = deadline
      @session_id = meta['session']
      @trace = meta['trace'] || {}
      @context = meta['context'] || {}
    end

    # The session that the call belongs to, or nil.
    def session
      @session ||= @session_id && Session.new(@runtime, @call_id, @session_id)
    end

    # The values that all sessions of the host share.
    def globals
      @globals ||= SharedData.new(@runtime, @call_id, 'globals')
    end

    # Functions of the host: `ctx.tools.price_of(sku: 'x')`, or `ctx.tools.call('price.of', { sku: 'x' })`. Raises ToolError.
    def tools
      @tools ||= Tools.new(@runtime, @call_id)
    end

    # What the caller sends while the command runs: see CallInput.
    def input
      @input ||= begin
        require_relative 'call_input'
        CallInput.new(@runtime, @call_id)
      end
    end

    # Seconds left to the call's deadline, at least 0.0; nil without a deadline.
    def deadline_seconds
      @deadline && [0.0, @deadline - Process.clock_gettime(Process::CLOCK_MONOTONIC)].max
    end

    # Whether the caller left or the deadline passed, so that the result is not wanted any more; cheap enough to ask in a loop.
    def cancelled?
      @runtime.cancelled?(@call_id) || deadline_seconds == 0.0
    end

    # Raises Cancelled if the call was cancelled or its deadline passed.
    def raise_if_cancelled
      raise Cancelled if @runtime.cancelled?(@call_id)
      raise Cancelled.at_deadline if deadline_seconds == 0.0
    end

    # Waits for so many seconds; raises Cancelled as soon as the call is cancelled or its deadline passes.
    def sleep(seconds)
      @runtime.sleep(@call_id, seconds, @deadline)
    end

    # Tells the caller how far the call is; `value` is anything that can be encoded.
    def progress(value)
      @runtime.progress(@call_id, value)
      nil
    end

    # Writes log records of this call: `ctx.log.info('loaded', rows: 3)`; levels debug, info, warn, error, fatal.
    def log
      @log ||= CallLog.new(@runtime, @call_id, @command)
    end

    # Measures for the host's Prometheus: `ctx.metrics.count('rows', 3, table: 'orders')`, `gauge` and `observe`.
    def metrics
      @runtime.metrics
    end

    # Sends an event: to the application's telemetry, and to its handlers of `@EventPattern(name)`. Where those have a map for a
    # pattern, `name` is that Hash. Names that begin with `snakepit.` are taken.
    def emit(name, data = nil)
      if name.is_a?(Hash)
        require 'json'
        name = JSON.generate(name)
      end
      name = name.to_s
      if name.start_with?(RESERVED)
        raise ArgumentError, "events named #{RESERVED}… are the library's own; choose another name than '#{name}'"
      end

      @runtime.event(@call_id, name, data)
      nil
    end

    # Sends a message to the application's handler of `@MessagePattern(pattern)` and returns its answer. Raises MessageError.
    def send(pattern, data = nil)
      @runtime.ask(@call_id, 'message.send', { 'pattern' => pattern, 'data' => data })
    rescue HostError => error
      raise MessageError.new(pattern, error), cause: nil
    rescue Refusal => error
      raise MessageError.new(pattern, HostError.new('INVALID_ARGUMENTS', error.message)), cause: nil
    end

    # The caller's span as the value of a header `traceparent`; nil without a trace.
    def traceparent
      @trace['traceparent']
    end

    # Raises Unsupported: this SDK records no spans.
    def span(*)
      raise Unsupported, 'the Ruby SDK records no spans; give ctx.traceparent to a tracer of your own as the parent'
    end

    def inspect
      "#<Snakepit::Context #{@command} ##{@call_id}>"
    end
  end
end
