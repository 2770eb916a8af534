# frozen_string_literal: true

# Write commands in Ruby that a NestJS application calls through `nestjs-snakepit`.

require_relative 'snakepit_bridge/version'
require_relative 'snakepit_bridge/errors'
require_relative 'snakepit_bridge/typed_array'
require_relative 'snakepit_bridge/registry'
require_relative 'snakepit_bridge/worker'

module Snakepit
  autoload :HostLogger, "#{__dir__}/snakepit_bridge/host_logger"

  class << self
    # Declares commands and hooks: `Snakepit.worker { command(:add) { |a:, b:| a + b } }`.
    #
    # The block runs with a Worker as its self, and so do the blocks of commands: they share its methods and instance
    # variables. It may be called several times, in several files.
    def worker(&block)
      raise StartupError, 'Snakepit.worker takes a block, in which commands are declared' if block.nil?

      @worker ||= Worker.new
      @worker.instance_exec(&block)
      @worker
    end

    # A Logger whose records reach the host's log, with the call in whose course they were written.
    def logger
      @logger ||= HostLogger.new
    end

    # @private The commands and hooks that were declared.
    def registry
      @registry ||= Registry.new
    end

    # @private The side of the worker that records and questions go through; nil while nothing is served.
    attr_accessor :runtime
  end
end
