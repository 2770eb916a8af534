# frozen_string_literal: true

require_relative 'host'

class CallsTest < WorkerTest
  ADD = 'command(:add) { |a:, b:| a + b }'

  %w[json msgpack].each do |codec|
    define_method("test_members_of_a_map_are_keywords_over_#{codec}") do
      assert_equal 42, host(ADD, codec: codec).result(1, 'add', { 'a' => 40, 'b' => 2 })
    end
  end

  def test_a_list_is_positional_and_a_scalar_the_only_argument
    worker = host('command(:subtract) { |a, b| a - b }; command(:same) { |value| value }')
    assert_equal 2, worker.result(1, 'subtract', [5, 3])
    assert_equal 'x', worker.result(2, 'same', 'x')
    assert_equal({ 'a' => 1 }, worker.result(3, 'same', [{ 'a' => 1 }]))
  end

  def test_a_list_and_a_scalar_stand_for_keywords_in_their_order
    worker = host("#{ADD}; command(:same) { |value:, ctx:| value }")
    assert_equal 42, worker.result(1, 'add', [40, 2])
    assert_equal 'x', worker.result(2, 'same', 'x')
    assert_equal [1], worker.result(3, 'same', [[1]])
  end

  def test_a_block_without_keywords_gets_the_map_itself
    worker = host('command(:keys) { |map| map.keys }; command(:nothing) { nil }')
    assert_equal %w[a b], worker.result(1, 'keys', { 'a' => 1, 'b' => 2 })
    assert_nil worker.result(2, 'nothing', {})
    assert_nil worker.result(3, 'nothing', nil)
  end

  def test_any_keyword_reaches_a_block_that_takes_them
    worker = host('command(:all) { |first: 0, **rest| [first, rest.to_a] }')
    assert_equal [1, [['b', 2]]], worker.result(1, 'all', { 'first' => 1, 'b' => 2 })
  end

  def test_missing_and_surplus_arguments_are_named
    worker = host("#{ADD}; command(:subtract) { |a, b| a - b }; command(:none) { nil }")
    2.times do |round|
      {
        ['add', { 'a' => 1 }] => [/missing argument 'b'; it takes a, b/, { 'path' => 'args.b' }],
        ['add', { 'a' => 1, 'b' => 2, 'c' => 3 }] => [/unknown argument 'c'/, { 'path' => 'args.c' }],
        ['add', [1]] => [/missing argument 'b'/, { 'path' => 'args.b' }],
        ['add', [1, 2, 3]] => [/3 arguments, and it takes 2; it takes a, b/, nil],
        ['subtract', [1]] => [/1 positional arguments, and it takes 2/, nil],
        ['subtract', [1, 2, 3]] => [/3 positional arguments/, nil],
        ['none', { 'a' => 1 }] => [/unknown argument 'a'; it takes none/, { 'path' => 'args.a' }]
      }.each_with_index do |((name, arguments), (message, data)), index|
        error = worker.error(100 * round + index + 1, name, arguments)
        assert_equal 'INVALID_ARGUMENTS', error['code'], "#{name} #{arguments}"
        assert_match message, error['message']
        data ? assert_equal(data, error['data']) : assert_nil(error['data'])
        # The second round meets it on the fast path.
        assert_equal 3, worker.result(1000 + index, 'add', { 'a' => 1, 'b' => 2 }) if name == 'add'
      end
    end
  end

  def test_an_argument_error_of_the_commands_own_is_a_remote_error
    error = host('command(:bad) { |a:| Integer(a) }').error(1, 'bad', { 'a' => 'x' })
    assert_equal %w[REMOTE_ERROR ArgumentError], error.values_at('code', 'type')
  end

  def test_declared_types_are_checked_and_told_as_a_schema
    worker = host('command(:add, doc: "Adds.", params: { a: Integer, b: [Integer, nil] }) { |a:, b: 1, c: 0| a + b + c }')
    assert_equal(
      { 'name' => 'add', 'kind' => 'call', 'doc' => 'Adds.', 'schema' => {
        'type' => 'object', 'required' => ['a'], 'additionalProperties' => true,
        'properties' => { 'a' => { 'type' => 'integer' }, 'b' => { 'type' => %w[integer null] } }
      }, 'positional' => %w[a b c] },
      worker.hello['commands'].first
    )
    error = worker.error(1, 'add', { 'a' => '1' })
    assert_equal ['INVALID_ARGUMENTS', "add: 'a' is a String, and has to be integer", { 'path' => 'args.a' }], error.values_at('code', 'message', 'data')
  end

  def test_commands_may_be_methods_and_share_state
    worker = host(<<~RUBY)
      on_start { @count = 40 }
      def twice(n) = 2 * n
      command def raise_by(n:)
        return @count if n.zero?
        @count += twice(n)
      end
    RUBY
    assert_equal 42, worker.result(1, 'raise_by', { 'n' => 1 })
    assert_equal 42, worker.result(2, 'raise_by', { 'n' => 0 })
  end

  def test_an_error_has_class_message_backtrace_cause_and_data
    worker = host(<<~RUBY)
      class OddMonth < StandardError
        def data = { month: 13 }
      end
      command(:fail) do
        raise 'first'
      rescue StandardError
        raise OddMonth, 'no such month'
      end
    RUBY
    2.times do |round|
      error = worker.error(round + 1, 'fail')
      assert_equal 'REMOTE_ERROR', error['code']
      assert_match(/OddMonth\z/, error['type'])
      assert_equal({ 'month' => 13 }, error['data'])
      assert_match(/\A.*handlers.rb:9:in .*: no such month \(.*OddMonth\)\n(.*\n)*Caused by: .*handlers.rb:7:in .*first \(RuntimeError\)/, error['traceback'])
      refute_match(%r{lib/snakepit_bridge}, error['traceback'])
    end
  end

  def test_results_that_cannot_be_sent_are_refused_with_the_path
    worker = host(<<~RUBY, max_frame_bytes: nil, maxFrameBytes: 4096)
      command(:make) do |what:|
        { 'object' => { rows: [1, Object.new] }, 'float' => 1r, 'large' => 2**64, 'text' => "\\xff", 'enum' => [1].each,
          'loop' => [].tap { |list| list << list }, 'deep' => 70.times.inject(0) { |value, _| [value] }, 'big' => 'x' * 5000,
          'clash' => { :a => 1, 'a' => 2 } }.fetch(what)
      end
    RUBY
    {
      'object' => /result\.rows\[1\]: Object; convert it/, 'float' => /result: Rational/, 'large' => /64 bits/, 'text' => /not valid UTF-8/,
      'enum' => /declare the command as a stream/, 'loop' => /result\[0\]: the value contains itself/, 'deep' => /at most 64 levels/,
      'big' => /more than maxFrameBytes of 4096/, 'clash' => /two keys have the text 'a'/
    }.each_with_index do |(what, message), index|
      error = worker.error(index + 1, 'make', { 'what' => what })
      assert_equal what == 'big' ? 'FRAME_TOO_LARGE' : 'INVALID_RESULT', error['code'], what
      assert_match message, error['message']
    end
  end

  def test_symbols_structs_times_and_dates_have_plain_forms
    require 'date'
    worker = host(<<~RUBY, codec: 'msgpack')
      require 'date'
      require 'bigdecimal'
      Row = Struct.new(:id, :tag)
      command(:make) { { id: :x, row: Row.new(1, nil), 7 => [Date.new(2026, 1, 31), BigDecimal('1.50')], at: Time.at(0, 250, :millisecond), bytes: 'ab'.b } }
    RUBY
    made = worker.result(1, 'make')
    assert_equal({ 'id' => 'x', 'row' => { 'id' => 1, 'tag' => nil }, '7' => ['2026-01-31', '1.5'], 'at' => Time.at(0, 250, :millisecond), 'bytes' => 'ab'.b }, made)
    assert_equal Encoding::BINARY, made['bytes'].encoding
  end

  def test_an_unknown_command_is_refused_with_the_known_ones
    error = host(ADD).error(1, 'nothing', {}, meta: { 'command' => 'nothing' })
    assert_equal ['UNKNOWN_COMMAND', "no command named 'nothing'; this worker has: add"], error.values_at('code', 'message')
  end

  def test_many_calls_at_once_are_answered_in_order
    worker = host(ADD, codec: 'msgpack')
    worker.one_write { 500.times { |index| worker.call(index + 1, 'add', { 'a' => index, 'b' => 1 }, deadline_ms: 60_000) } }
    500.times do |index|
      frame = worker.receive
      assert_equal [F::RESULT, index + 1, index + 1], [frame.kind, frame.id, frame.body]
    end
  end

  def test_the_context_knows_the_call
    worker = host(<<~RUBY)
      command(:facts) do |ctx:|
        { command: ctx.command, session: ctx.session&.id, trace: ctx.trace, context: ctx.context, left: ctx.deadline_seconds, cancelled: ctx.cancelled? }
      end
    RUBY
    facts = worker.result(1, 'facts', {}, meta: { 'session' => 's', 'trace' => { 'traceparent' => '00-1' }, 'context' => { 'tenant' => 'a' } }, deadline_ms: 60_000)
    assert_in_delta 60, facts.delete('left'), 30
    assert_equal({ 'command' => 'facts', 'session' => 's', 'trace' => { 'traceparent' => '00-1' }, 'context' => { 'tenant' => 'a' }, 'cancelled' => false }, facts)
    assert_match(/reserved for the context/, worker.error(2, 'facts', { 'ctx' => 1 })['message'])
  end
end
