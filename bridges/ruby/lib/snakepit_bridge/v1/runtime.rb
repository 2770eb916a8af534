# frozen_string_literal: true

require_relative '../errors'
require_relative '../metrics'
require_relative '../process_end'

module Snakepit
  module V1
    # @private What a context can do over v1: little, since v1 carries nothing but requests and replies. Log records go to stderr;
    # progress, events and metrics are dropped; nothing is ever cancelled.
    class Runtime
      def metrics
        @metrics ||= Metrics.new { |_| nil }
      end

      def cancelled?(_)
        false
      end

      def sleep(_, seconds, _)
        Kernel.sleep(seconds)
      end

      def running_call
        0
      end

      def log(_, level, message, logger, fields)
        details = fields.map { |key, value| " #{key}=#{value.inspect}" }.join
        $stderr.puts("#{level.upcase} #{logger}: #{message}#{details}")
      end

      def progress(*) end

      def event(*) end

      def ask(_, method, _)
        raise Unsupported, "#{method} needs protocol v2; this worker runs with v1"
      end
      alias begin_ask ask
    end
  end
end
