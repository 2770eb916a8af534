# frozen_string_literal: true

require_relative '../process_end'

module Snakepit
  module V2
    # @private Ends the worker if its host goes away while the user's file is loading: between the hellos the host says nothing, so
    # that there is something to read only when it has gone.
    module StartupGuard
      module_function

      def during(io)
        guard = Thread.new do
          io.wait_readable
          chunk = io.read_nonblock(1, exception: false)
          ProcessEnd.with_host if chunk.nil?
          ProcessEnd.by_protocol_error('the host sent a frame before this worker said that it is ready') if chunk.is_a?(String)
        rescue SystemCallError
          ProcessEnd.with_host
        end
        yield
      ensure
        guard.kill
        guard.join
      end
    end
  end
end
