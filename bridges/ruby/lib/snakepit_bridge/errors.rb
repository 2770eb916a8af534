# frozen_string_literal: true

module Snakepit
  # Base class of the errors that this library raises.
  class Error < StandardError; end

  # The worker cannot start: its file or its commands are not usable.
  class StartupError < Error; end

  # The host broke the wire protocol; the connection cannot go on.
  class ProtocolError < Error; end

  # The host closed the connection.
  class HostGone < Error; end

  # The call was cancelled, or its deadline passed; raised by what looks for that, and by what waits for the host then.
  class Cancelled < Error
    # CANCELLED, or CALL_TIMEOUT where the worker saw the deadline pass before the host said anything.
    attr_reader :code

    def initialize(message = 'the call was cancelled', code: 'CANCELLED')
      super(message)
      @code = code
    end

    # @private
    def self.at_deadline
      new('stopped at its deadline', code: 'CALL_TIMEOUT')
    end
  end

  # What was asked for is not available here, such as a feature of protocol v2 under v1.
  class Unsupported < Error; end

  # @private A call that is answered by an error of this library's own making, with `code` as in the protocol.
  class Refusal < Error
    attr_reader :code, :started, :data

    def initialize(code, message, started: nil, data: nil)
      super(message)
      @code = code
      @started = started
      @data = data
    end
  end

  # Raised by a command whose arguments are not what it can work with; the caller gets INVALID_ARGUMENTS instead of REMOTE_ERROR.
  #
  # `path` says where in the arguments the fault is, such as `args.month`.
  class InvalidArguments < Refusal
    def initialize(message = 'the arguments do not fit', path: nil)
      super('INVALID_ARGUMENTS', message, data: path && { 'path' => path })
    end
  end

  # @private A value cannot be sent; the message names the path to it and the remedy.
  class UnencodableValue < Error; end

  # @private A received value is well-formed, yet cannot be taken, such as one nested too deeply.
  class RefusedValue < Error; end

  # The host refused what a command asked of it; `code` is the host's error code.
  #
  # Where something was thrown in the host, `type` is its class, `message` its message and `data` what it carried.
  class HostError < Error
    attr_reader :code, :type, :remote_message, :remote_data

    def initialize(code, message, type: nil, data: nil)
      super(message)
      @code = code
      @remote_message = message
      @type = type
      @remote_data = data
    end

    # What the caller of the command is told besides, when the command does not rescue this.
    def data
      { 'code' => code }
    end
  end

  # A tool of the host threw, or could not be called.
  #
  # `type`, `remote_message` and `remote_data` are those of what it threw, and `code` is REMOTE_ERROR then.
  class ToolError < HostError
    attr_reader :tool

    def initialize(tool, error)
      super(error.code, error.remote_message, type: error.type, data: error.remote_data)
      @tool = tool
    end

    def message
      return "the tool '#{tool}' threw #{type || 'an error'}: #{remote_message}" if code == 'REMOTE_ERROR'

      "the tool '#{tool}' failed (#{code}): #{remote_message}"
    end

    def data
      { 'tool' => tool, 'code' => code, 'type' => type, 'data' => remote_data }
    end
  end

  # A message to the host was refused, or its handler threw.
  #
  # `remote_message` and `remote_data` are those of what it threw; `code` is REMOTE_ERROR then, and UNKNOWN_PATTERN where nobody
  # answers the pattern.
  class MessageError < HostError
    attr_reader :pattern

    def initialize(pattern, error)
      super(error.code, error.remote_message, type: error.type, data: error.remote_data)
      @pattern = pattern
    end

    def message
      return "the message #{pattern.inspect} failed: #{remote_message}" if code == 'REMOTE_ERROR'

      "the message #{pattern.inspect} failed (#{code}): #{remote_message}"
    end

    def data
      { 'pattern' => pattern, 'code' => code, 'type' => type, 'data' => remote_data }
    end
  end
end
