# frozen_string_literal: true

require_relative '../process_end'
require_relative '../session'

module Snakepit
  module V2
    # @private Runs the hooks that follow sessions in and out of a worker, and remembers which it has seen, if a hook wants to know.
    class SessionHooks
      def initialize(registry, runtime)
        @on_open = registry.hooks(:session_open)
        @on_close = registry.hooks(:session_close)
        @runtime = runtime
        @seen = {}
      end

      def any?
        !(@on_open.empty? && @on_close.empty?)
      end

      # Runs the opening hooks before a session's first call; what they raise fails that call.
      def open(session_id, call_id)
        return if session_id.nil? || !any? || @seen.key?(session_id)

        @on_open.each { |hook| hook.call(Session.new(@runtime, call_id, session_id)) }
        @seen[session_id] = true
      end

      # Runs the closing hooks of a session that this worker has seen.
      def close(session_id)
        return unless @seen.delete(session_id)

        @on_close.each do |hook|
          hook.call(Session.new(ClosedSession, 0, session_id))
        rescue StandardError => error
          ProcessEnd.complain("on_session_close failed for #{session_id}: #{error.class}: #{error.message}")
        end
      end
    end
  end
end
