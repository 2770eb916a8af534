# frozen_string_literal: true

module Snakepit
  # Writes log records of one call; keywords become the record's fields.
  class CallLog
    LEVELS = %w[debug info warn error fatal].freeze

    def initialize(runtime, call_id, logger)
      @runtime = runtime
      @call_id = call_id
      @logger = logger
    end

    LEVELS.each do |level|
      define_method(level) do |message, **fields|
        @runtime.log(@call_id, level, message.to_s, @logger, fields)
        nil
      end
    end
  end
end
