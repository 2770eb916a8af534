# frozen_string_literal: true

require_relative '../error_map'
require_relative '../errors'
require_relative 'frame'

module Snakepit
  module V2
    # @private What the worker asks of its host, and who waits for the answers. Questions come from any thread, answers from the
    # reading one.
    class HostCalls
      # An answer that a thread waits for.
      class Answer
        attr_reader :content

        def initialize
          @queue = Thread::Queue.new
        end

        def settle(content)
          @content = content
          @queue << true
        end

        # Blocks until it is there.
        def wait
          @queue.pop if @content.nil?
        end
      end

      def initialize(writer, codec, encoder)
        @writer = writer
        @codec = codec
        @encoder = encoder
        @lock = Mutex.new
        @waiting = {}
        @number = 0
      end

      # Sends a question, and returns its Answer. Raises Refusal if it cannot be sent.
      def ask(call_id, method, args)
        body, flags = @encoder.encode({ 'method' => method, 'args' => args, 'call' => call_id }, method, envelope: 2)
        answer = Answer.new
        number = @lock.synchronize { next_number.tap { |free| @waiting[free] = answer } }
        @writer.add(Frame::HOST_CALL, number, flags, 0, body)
        @writer.flush
        answer
      end

      # Hands an answer to whoever waits for it. Raises ProtocolError if nobody does.
      def settle(kind, flags, number, body)
        answer = @lock.synchronize { @waiting.delete(number) }
        raise ProtocolError, "an answer to the host call #{number}, which was not made" if answer.nil?

        answer.settle([kind, flags, body])
      end

      # The result of an answer that is there. Raises HostError if the host refused, Cancelled if the call has ended.
      def read(answer)
        kind, flags, body = answer.content
        value = @codec.decode(body, flags, envelope: 1)
        kind == Frame::HOST_RESULT ? value : raise(ErrorMap.host_failure(value))
      end

      private

      def next_number
        loop do
          @number = (@number + 1) & 0xFFFFFFFF
          return @number unless @number.zero? || @waiting.key?(@number)
        end
      end
    end
  end
end
