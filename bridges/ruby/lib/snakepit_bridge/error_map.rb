# frozen_string_literal: true

require_relative 'errors'
require_relative 'text'

module Snakepit
  # @private Exceptions as the maps that answer calls.
  module ErrorMap
    MAX_TEXT = 8192
    MAX_CAUSES = 8
    # Lines of a backtrace that say nothing of the user's code.
    INNER = ["#{File.expand_path('..', __dir__)}/", "#{File.expand_path('../../exe', __dir__)}/", '<internal:'].freeze
    # What ends a worker instead of failing a call.
    PASSING = [SystemExit, SignalException, HostGone, ProtocolError].freeze

    module_function

    # The map of an exception, `data` excluded.
    def of(error)
      case error
      when Refusal then refusal(error.code, error.message, error.started)
      when Cancelled then refusal(error.code, error.message, true)
      else
        { 'code' => 'REMOTE_ERROR', 'type' => error.class.to_s, 'message' => message_of(error), 'traceback' => traceback_of(error) }
      end
    end

    # The map of a call that this library itself refuses.
    def refusal(code, message, started = nil)
      map = { 'code' => code, 'message' => Text.printable(message) }
      map['started'] = started unless started.nil?
      map
    end

    # What an exception carries as `data`, else nil.
    def data_of(error)
      error.respond_to?(:data) ? error.data : nil
    rescue StandardError
      nil
    end

    # A map that is too large, without what takes the most room.
    def shortened(map)
      map.reject { |key, _| %w[data traceback].include?(key) }.transform_values do |value|
        value.is_a?(String) && value.size > MAX_TEXT ? "#{value[0, MAX_TEXT]}…" : value
      end
    end

    # The exception for a map that answers what was asked of the host.
    def host_failure(map)
      code = map.fetch('code', 'REMOTE_ERROR')
      message = map.fetch('message', '')
      return Cancelled.new(message) if code == 'CANCELLED'

      HostError.new(code, message, type: map['type'], data: map['data'])
    end

    def message_of(error)
      Text.printable(error.message.to_s)
    rescue StandardError => failure
      "<the exception's message failed: #{failure.class}>"
    end

    # As Ruby prints it, from the innermost line on, without the lines of this library; causes come after it.
    def traceback_of(error)
      parts = []
      while error && parts.size <= MAX_CAUSES
        lines = (error.backtrace || []).reject { |line| line.start_with?(*INNER) }
        first, *rest = lines
        parts << ["#{first || '(no backtrace)'}: #{message_of(error)} (#{error.class})", *rest.map { |line| "\tfrom #{line}" }].join("\n")
        error = error.cause
      end
      Text.printable(parts.join("\nCaused by: "))
    end
  end
end
