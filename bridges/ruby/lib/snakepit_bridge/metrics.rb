# frozen_string_literal: true

require 'monitor'

module Snakepit
  # Adds up what is measured, and sends it before the next answer of a call that could measure, or after a tenth of a second, so
  # that counting in a loop costs no message each time.
  class Metrics
    EVENT = 'snakepit.metrics'
    WAIT_SECONDS = 0.1
    MAX_ENTRIES = 1000

    # @private The block gets what is to be sent.
    def initialize(&send)
      @send = send
      @lock = Monitor.new
      @entries = {}
      @size = 0
      @due_since = nil
    end

    # Adds `amount`, which is not negative, to a counter.
    def count(name, amount = 1, **labels)
      amount = number(name, amount)
      raise ArgumentError, "metric '#{name}': a count must not be negative, and #{amount} is" if amount.negative?

      measure('count', name, labels, 0) { |entry| entry[3] += amount }
    end

    # Sets a value that goes up and down; each worker has its own.
    def gauge(name, value, **labels)
      value = number(name, value)
      measure('gauge', name, labels, 0) { |entry| entry[3] = value }
    end

    # Adds a value to a histogram.
    def observe(name, value, **labels)
      value = number(name, value)
      measure('observe', name, labels, nil) do |entry|
        (entry[3] ||= []) << value
        @size += 1
      end
    end

    # @private Whether something waits to be sent.
    def due?
      !@due_since.nil?
    end

    # @private Sends what there is.
    def flush
      entries = @lock.synchronize do
        @due_since = nil
        @size = 0
        @entries.values.tap { @entries = {} }
      end
      @send.call(entries) unless entries.empty?
    end

    private

    def measure(kind, name, labels, start)
      @lock.synchronize do
        key = [kind, name.to_s, labels]
        entry = @entries[key]
        if entry.nil?
          texts = labels.empty? ? nil : labels.to_h { |label, value| [label.to_s, value.to_s] }
          entry = @entries[key] = [kind, name.to_s, texts, start]
          @size += 1
        end
        yield entry
      end
      look_at_clock
    end

    def look_at_clock
      now = Process.clock_gettime(Process::CLOCK_MONOTONIC)
      @due_since ||= now
      flush if now - @due_since > WAIT_SECONDS || @size > MAX_ENTRIES
      nil
    end

    def number(name, value)
      finite = value.is_a?(Integer) ? value : Float(value)
      raise ArgumentError, "metric '#{name}': #{value} is not a finite number" unless finite.finite?

      finite
    end
  end
end
