# frozen_string_literal: true

module Snakepit
  # @private Runs blocks in processes that this one forks, before anything else does. From Ruby 3.1 on.
  module ForkGuard
    # In front of what all ways to fork go through.
    module Hook
      def _fork
        super.tap { |pid| ForkGuard.run if pid.zero? }
      end
    end

    @blocks = []

    class << self
      def after_fork(&block)
        Process.singleton_class.prepend(Hook) if @blocks.empty? && Process.respond_to?(:_fork)
        @blocks << block
      end

      def run
        @blocks.each(&:call)
      end
    end
  end
end
