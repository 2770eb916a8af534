# frozen_string_literal: true

require 'logger'

require_relative 'error_map'

module Snakepit
  # A Logger whose records go to the host's log, as those of the call that is running; without a host, to stderr.
  class HostLogger < ::Logger
    NAMES = { DEBUG => 'debug', INFO => 'info', WARN => 'warn', ERROR => 'error', FATAL => 'fatal' }.freeze

    def initialize(progname = 'app', level: DEBUG)
      super(nil, level: level, progname: progname)
      @owner = Process.pid
      @otherwise = ::Logger.new($stderr)
    end

    def add(severity, message = nil, progname = nil)
      severity ||= UNKNOWN
      return true if severity < level

      message, progname = progname, nil if message.nil? && !block_given?
      message = yield if message.nil? && block_given?
      send_record(severity, message, (progname || self.progname).to_s)
      true
    end
    alias log add

    def <<(message)
      add(INFO, message.to_s.chomp)
      self
    end

    private

    def send_record(severity, message, name)
      runtime = Snakepit.runtime
      return @otherwise.add(severity, message, name) if runtime.nil? || Process.pid != @owner

      fields = {}
      if message.is_a?(Exception)
        fields['exception'] = Text.clipped(ErrorMap.traceback_of(message))
        message = "#{message.class}: #{message.message}"
      end
      text = message.is_a?(String) ? message : message.inspect
      runtime.log(runtime.running_call, NAMES.fetch(severity, 'info'), text, name, fields)
    end
  end
end
