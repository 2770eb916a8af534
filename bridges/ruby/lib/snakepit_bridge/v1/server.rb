# frozen_string_literal: true

require_relative '../batches'
require_relative '../codec/codec'
require_relative '../context'
require_relative '../error_map'
require_relative '../process_end'
require_relative 'channel'
require_relative 'runtime'

module Snakepit
  # @private Protocol v1: stdin and stdout, one call at a time.
  module V1
    module_function

    # Serves the commands of the Registry that the block returns, until stdin ends; `codec` is json, msgpack, or auto for what the host
    # negotiates.
    def serve(codec)
      if codec == 'msgpack' && !Codec.msgpack?
        ProcessEnd.complain('--protocol msgpack needs the gem msgpack: gem install msgpack')
        exit(1)
      end
      source, sink = Channel.take_over_stdio
      registry = begin
        yield.tap { |loaded| loaded.hooks(:start).each(&:call) }
      rescue Exception => error # rubocop:disable Lint/RescueException
        raise if error.is_a?(SystemExit)

        ProcessEnd.complain("the worker cannot start: #{ErrorMap.traceback_of(error)}")
        exit(1)
      end
      serve_registry(registry, Channel.new(source, sink, codec == 'msgpack' ? codec : 'json'), codec == 'auto')
    end

    def serve_registry(registry, channel, may_negotiate)
      Server.new(channel, registry, Runtime.new).serve(may_negotiate)
    rescue ProtocolError => error
      ProcessEnd.by_protocol_error(error.message)
    rescue SystemCallError, IOError
      # The host is gone, and with it whoever could read an answer.
      nil
    ensure
      registry.hooks(:shutdown).each(&:call)
    end

    # @private Answers one request after the other.
    class Server
      NEGOTIATION = 'protocol_negotiation'

      def initialize(channel, registry, runtime)
        @channel = channel
        @registry = registry
        @runtime = runtime
        @began = now
        @requests = 0
        signal = ProcessEnd.stack_signal
        # What the first reply tells of this worker besides its answer.
        @news = signal ? { 'stackSignal' => signal } : {}
      end

      # Serves until the input ends. Raises ProtocolError, SystemCallError and IOError.
      def serve(may_negotiate)
        is_first = true
        while (request = @channel.read)
          if is_first && may_negotiate && request['type'] == NEGOTIATION
            negotiate(request)
          else
            answer(request)
          end
          ProcessEnd.die_with_host if is_first
          is_first = false
        end
      end

      private

      def negotiate(request)
        selected = select_codec(request)
        @channel.write('type' => 'protocol_selected', 'protocol' => selected, 'timestamp' => timestamp)
        @channel.use(selected)
      end

      def select_codec(request)
        supported = request['supported']
        return 'json' unless supported.is_a?(Array)

        wants_json = request['preferred'] == 'json' && supported.include?('json')
        supported.include?('msgpack') && Codec.msgpack? && !wants_json ? 'msgpack' : 'json'
      end

      def answer(request)
        @requests += 1
        result = run(request)
      rescue *ErrorMap::PASSING
        raise
      rescue Exception => error # rubocop:disable Lint/RescueException
        reply_error(request['id'], error)
      else
        reply(request['id'], result)
      end

      def reply(id, result)
        write('id' => id, 'success' => true, 'result' => result)
      rescue UnencodableValue => error
        reply_error(id, Refusal.new('INVALID_RESULT', explain(result, error)))
      rescue Refusal => error
        reply_error(id, error)
      end

      # Why a reply cannot be sent, with the path to it within the result.
      def explain(result, error)
        @channel.codec.encode(result, 'result')
        error.message
      rescue UnencodableValue => precise
        precise.message
      end

      def run(request)
        name = request['command']
        command = @registry.find(name)
        return ping if command.nil? && name == 'ping'
        raise @registry.unknown("named '#{name}'") if command.nil?
        raise InvalidArguments, "#{name}: streams need protocol v2" if command.stream?

        context = Context.new(@runtime, name, request['id'], nil, {}) if command.takes_context?
        command.batch ? Batches.run_single(command, request['args'], context) : command.invoke(request['args'], context)
      end

      def ping
        { 'status' => 'ok', 'bridge_type' => 'ruby', 'uptime' => now - @began, 'requests_handled' => @requests, 'timestamp' => Time.now.to_f }
      end

      def reply_error(id, error)
        map = ErrorMap.of(error)
        text = map['message'].empty? ? map.fetch('type', 'error') : map['message']
        reply = { 'id' => id, 'success' => false, 'error' => text, 'error_details' => map }
        data = ErrorMap.data_of(error)
        write(data.nil? ? reply : { **reply, 'error_details' => { **map, 'data' => data } })
      rescue UnencodableValue, Refusal
        # Data is a courtesy; what cannot be sent is left out.
        write({ **reply, 'error_details' => ErrorMap.shortened(map) })
      end

      def write(reply)
        @channel.write({ **reply, 'timestamp' => timestamp, **@news })
        @news = {}
      end

      def timestamp
        Time.now.utc.strftime('%Y-%m-%dT%H:%M:%S.%LZ')
      end

      def now
        Process.clock_gettime(Process::CLOCK_MONOTONIC)
      end
    end
  end
end
