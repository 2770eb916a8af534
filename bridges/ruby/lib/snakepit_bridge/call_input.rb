# frozen_string_literal: true

require_relative 'errors'

module Snakepit
  # What the caller sends while the command runs, to be read once, from the beginning to the end, by one thread: like an IO opened
  # for reading binary.
  #
  # Reading raises HostError with the code INVALID_ARGUMENTS where the call has no input, INPUT_FAILED where its source broke, and
  # Cancelled where whoever sends it has left.
  class CallInput
    include Enumerable

    CHUNK_BYTES = 256 * 1024

    # @private
    def initialize(runtime, call_id)
      @runtime = runtime
      @call_id = call_id
      @buffer = String.new(encoding: Encoding::BINARY)
      @asked = nil
      @ended = false
    end

    # Yields bytes as they come, at most 256 KB at a time.
    def each_chunk
      return enum_for(:each_chunk) unless block_given?

      yield take(@buffer.bytesize) unless @buffer.empty?
      while (chunk = fetch)
        yield chunk
      end
      self
    end

    # Exactly `count` bytes, fewer only at the end, and nil there; all that is left, at least '', without `count`.
    def read(count = nil)
      @buffer << fetch.to_s while !@ended && (count.nil? || @buffer.bytesize < count)
      return take(@buffer.bytesize) if count.nil?

      @buffer.empty? && count.positive? ? nil : take(count)
    end

    # The next line, with its line feed, or nil at the end.
    def gets
      until (at = @buffer.index("\n")) || @ended
        @buffer << fetch.to_s
      end
      return take(at + 1) if at

      @buffer.empty? ? nil : take(@buffer.bytesize)
    end

    # Yields the lines.
    def each_line
      return enum_for(:each_line) unless block_given?

      while (line = gets)
        yield line
      end
      self
    end
    alias each each_line

    def eof?
      @buffer << fetch.to_s if @buffer.empty? && !@ended
      @buffer.empty? && @ended
    end

    private

    def take(count)
      @buffer.slice!(0, count)
    end

    # The next bytes, or nil at the end; those after them are asked for meanwhile.
    def fetch
      return nil if @ended

      @asked ||= ask
      chunk = @runtime.answer_of(@asked)
      @asked = chunk && ask
      @ended = chunk.nil?
      chunk
    end

    def ask
      @runtime.begin_ask(@call_id, 'input.read', { 'maxBytes' => CHUNK_BYTES })
    end
  end
end
