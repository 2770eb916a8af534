# frozen_string_literal: true

require 'monitor'

module Snakepit
  # @private Lets a thousand records pass at once, and as many each second; the others are dropped, and their number is told by the block.
  class LogGate
    PER_SECOND = 1000
    NOTICE_SECONDS = 1

    def initialize(&tell)
      @tell = tell
      @room = PER_SECOND.to_f
      @looked_at = now
      @dropped = 0
      @lock = Monitor.new
    end

    def admit?
      @lock.synchronize do
        time = now
        @room = [PER_SECOND, @room + (time - @looked_at) * PER_SECOND].min
        @looked_at = time
        if @room >= 1
          @room -= 1
          return true
        end
        @dropped += 1
        Thread.new { tell_dropped } if @dropped == 1
        false
      end
    end

    private

    def tell_dropped
      sleep NOTICE_SECONDS
      dropped = @lock.synchronize { @dropped.tap { @dropped = 0 } }
      @tell.call("#{dropped} log records were dropped: more than #{PER_SECOND} a second", { 'dropped' => dropped })
    end

    def now
      Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end
  end
end
