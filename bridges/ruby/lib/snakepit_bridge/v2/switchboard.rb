# frozen_string_literal: true

require_relative '../errors'
require_relative 'frame'

module Snakepit
  module V2
    # @private Brings each frame to whom it concerns. A reading thread holds `Intake#reading` meanwhile, and runs no command.
    class Switchboard
      # Takes calls while a command runs on the main thread.
      class Between
        def initialize(waiting, late_cancels)
          @waiting = waiting
          @late_cancels = late_cancels
        end

        def <<(call)
          @late_cancels.delete(call.first)
          @waiting << call
        end
      end

      attr_reader :between

      # `late_cancels` has the ids that were cancelled while a command ran and that nobody knew: perhaps that of the running call.
      def initialize(waiting:, late_cancels:, streams:, host_calls:, replies:, writer:, stop:)
        @waiting = waiting
        @late_cancels = late_cancels
        @streams = streams
        @host_calls = host_calls
        @replies = replies
        @writer = writer
        @stop = stop
        @between = Between.new(waiting, late_cancels)
      end

      # Any frame but a CALL without stream. Raises ProtocolError.
      def on_other(kind, head, id, body)
        case kind
        when Frame::CREDIT then @streams.grant(id, head & 0xFFFF)
        when Frame::CANCEL then cancel(id)
        when Frame::PING then @writer.add(Frame::PONG, id)
        when Frame::CALL then accept_stream(head, id, body)
        when Frame::HOST_RESULT, Frame::HOST_ERROR then @host_calls.settle(kind, Frame.flags_of(head), id, body)
        when Frame::SESSION_CLOSED then @waiting << [0, head, body, nil]
        when Frame::SHUTDOWN then @stop.call
        when Frame::PONG then nil
        else raise ProtocolError, format('a frame of kind 0x%02x, which a worker does not take', kind)
        end
      end

      # The same while a command runs on the main thread: it may be the one that is cancelled.
      def on_other_between(kind, head, id, body)
        return on_other(kind, head, id, body) unless kind == Frame::CANCEL

        @late_cancels[id] = true unless cancel(id)
      end

      # No command is running any more: ids that nobody knew are of calls that had ended.
      def forget_late_cancels
        @late_cancels.clear unless @late_cancels.empty?
      end

      private

      def accept_stream(head, id, body)
        milliseconds = nil
        if Frame.flags_of(head) & Frame::DEADLINE != 0
          raise ProtocolError, 'a call with a deadline has a body of less than 4 bytes' if body.bytesize < 4

          milliseconds = body.unpack1('N')
          body = body.byteslice(4..)
        end
        @streams.register(id)
        @late_cancels.delete(id)
        @waiting << [id, head, body, milliseconds]
      end

      # Cancels a call that waits or streams; false if it does neither.
      def cancel(id)
        if take_out?(id)
          @streams.forget(id)
          @replies.error(id, Refusal.new('CANCELLED', 'the call was cancelled before it began', started: false))
          return true
        end
        @streams.cancel(id)
      end

      # Removes a call that has not begun; false if there is none, or the main thread has just begun it.
      def take_out?(id)
        call = @waiting.dup.find { |each| each.first == id }
        !call.nil? && !@waiting.delete(call).nil?
      end
    end
  end
end
