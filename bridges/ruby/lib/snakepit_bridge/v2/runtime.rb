# frozen_string_literal: true

require_relative '../errors'
require_relative '../log_gate'
require_relative '../metrics'
require_relative '../text'
require_relative 'frame'

module Snakepit
  module V2
    # @private What commands ask of their worker, through a context or by logging, from any thread.
    class Runtime
      LOOK_SECONDS = 0.001
      POLL_SECONDS = 0.01
      MAX_FIELDS_BYTES = 256 * 1024

      attr_reader :metrics

      def initialize(encoder:, writer:, host_calls:, late_cancels:, intake:, streams:, open_calls:)
        @encoder = encoder
        @writer = writer
        @host_calls = host_calls
        @late_cancels = late_cancels
        @intake = intake
        @streams = streams
        @open_calls = open_calls
        @main = Thread.current
        @gate = LogGate.new { |message, fields| send_record(0, 'warn', message, 'snakepit_bridge.log', fields) }
        @metrics = Metrics.new { |entries| event(running_call, Metrics::EVENT, entries) }
      end

      # Whether a running call was cancelled; the main thread looks at the socket for it.
      def cancelled?(call_id)
        @intake.look_in_between if main? && now - @intake.last_look > LOOK_SECONDS
        known?(call_id)
      end

      # Waits, and raises Cancelled as soon as the call is cancelled or its deadline, a moment of the monotonic clock, passes.
      def sleep(call_id, seconds, deadline)
        ends = now + seconds
        ends = deadline if deadline && deadline < ends
        if main?
          @intake.read_until([ends - now, 0].max) { known?(call_id) }
        else
          Kernel.sleep([POLL_SECONDS, [ends - now, 0].max].min) until known?(call_id) || now >= ends
        end
        raise Cancelled if known?(call_id)
        raise Cancelled.at_deadline if deadline && now >= deadline
      end

      # Id of the call that the main thread runs, for records that name none; 0 on other threads.
      def running_call
        main? ? @open_calls.running_id : 0
      end

      # Sends a log record, unless there are too many; fields that cannot be sent as they are go as text.
      def log(call_id, level, message, logger, fields)
        send_record(call_id, level, message, logger, fields) if @gate.admit?
      end

      # Sends PROGRESS. Raises Refusal if the value cannot be encoded.
      def progress(call_id, value)
        send(Frame::PROGRESS, call_id, value, 'progress', 0)
      end

      # Sends EVENT. Raises Refusal if the data cannot be encoded.
      def event(call_id, name, data)
        send(Frame::EVENT, call_id, { 'name' => name, 'data' => data }, 'event', 1)
      end

      # Asks the host and waits for the answer. Raises HostError if it refuses.
      def ask(call_id, method, args)
        answer_of(begin_ask(call_id, method, args))
      end

      # Asks the host; `answer_of` waits for the answer.
      def begin_ask(call_id, method, args)
        @host_calls.ask(call_id, method, args)
      end

      def answer_of(answer)
        main? ? @intake.read_until { answer.content } : answer.wait
        @host_calls.read(answer)
      end

      private

      def send_record(call_id, level, message, logger, fields)
        record = { 'level' => level, 'message' => Text.clipped(message), 'logger' => logger }
        record['fields'] = fields unless fields.empty?
        body, flags = encode_record(record)
        if body.nil? || body.bytesize > MAX_FIELDS_BYTES
          record['message'] = Text.clipped(Text.printable(message))
          record['fields'] = Text.fields(fields)
          body, flags = @encoder.encode(record, 'log', envelope: 1)
        end
        add(Frame::LOG, call_id, flags, body)
      rescue HostGone
        nil
      end

      def encode_record(record)
        @encoder.encode(record, 'log', envelope: 1)
      rescue Refusal
        nil
      end

      def send(kind, call_id, value, root, envelope)
        body, flags = @encoder.encode(value, root, envelope: envelope)
        add(kind, call_id, flags, body)
      end

      def add(kind, call_id, flags, body)
        @open_calls.add_record(kind, call_id, flags, body)
        @writer.flush
      end

      def known?(call_id)
        is_cancelled = @streams.cancelled?(call_id)
        is_cancelled.nil? ? @late_cancels.key?(call_id) : is_cancelled
      end

      def main?
        Thread.current.equal?(@main)
      end

      def now
        Process.clock_gettime(Process::CLOCK_MONOTONIC)
      end
    end
  end
end
