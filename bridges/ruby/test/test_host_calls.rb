# frozen_string_literal: true

require_relative 'host'

class HostCallsTest < WorkerTest
  def test_session_data_goes_through_the_host
    worker = host(<<~RUBY)
      command(:count) { |ctx:| ctx.session.update(:visits, 0) { |visits| visits + 1 } }
      command(:all) { |ctx:| [ctx.session[:a], ctx.session.get(:b, 7), ctx.session.delete(:a), ctx.session.keys, ctx.globals.set(:g, 1), ctx.session.programs[:p]] }
    RUBY
    worker.call(1, 'count', {}, meta: { 'session' => 's' })
    read = worker.receive
    assert_equal [F::HOST_CALL, { 'method' => 'session.read', 'args' => { 'map' => 'metadata', 'key' => 'visits' }, 'call' => 1 }], [read.kind, read.body]
    worker.answer(read, { 'found' => true, 'value' => 41, 'revision' => 3 })
    write = worker.receive
    assert_equal({ 'map' => 'metadata', 'key' => 'visits', 'value' => 42, 'revision' => 3 }, write.body['args'])
    worker.answer(write, { 'written' => true, 'revision' => 4 })
    assert_equal 42, worker.receive.body

    worker.call(2, 'all', {}, meta: { 'session' => 's' })
    answers = [{ 'found' => true, 'value' => 1 }, { 'found' => false }, { 'written' => true }, ['b'], { 'written' => true }, { 'found' => false }]
    asked = answers.map { |answer| worker.receive.tap { |question| worker.answer(question, answer) }.body.then { |body| [body['method'], body['args']['map']] } }
    assert_equal [%w[session.read metadata], %w[session.read metadata], %w[session.delete metadata], %w[session.keys metadata], %w[session.write globals], %w[session.read programs]], asked
    assert_equal [1, 7, true, ['b'], 1, nil], worker.receive.body
  end

  def test_session_hooks_see_sessions_come_and_go
    worker = host(<<~RUBY)
      on_start { @log = [] }
      on_session_open { |session| @log << "open \#{session.id}" }
      on_session_close { |session| @log << "close \#{session.id}" }
      command(:log) { @log }
    RUBY
    2.times { |index| assert_equal ['open s'], worker.result(index + 1, 'log', nil, meta: { 'session' => 's' }) }
    worker.send_frame(F::SESSION_CLOSED, body: '"s"')
    assert_equal ['open s', 'close s'], worker.result(3, 'log')
  end

  def test_tools_return_or_raise
    worker = host(<<~RUBY)
      command(:price) { |ctx:, sku:| ctx.tools.price_of(sku: sku) }
      command(:system) { |ctx:| ctx.tools.system('ls') }
      command(:rescued) do |ctx:|
        ctx.tools.call('price.of', 1)
      rescue Snakepit::ToolError => error
        [error.tool, error.code, error.type, error.remote_message, error.remote_data]
      end
    RUBY
    worker.call(1, 'price', { 'sku' => 'x' })
    question = worker.receive
    assert_equal({ 'method' => 'tool.call', 'args' => { 'name' => 'price_of', 'args' => { 'sku' => 'x' } }, 'call' => 1 }, question.body)
    worker.answer(question, 7)
    assert_equal 7, worker.receive.body

    worker.call(2, 'rescued')
    worker.answer(worker.receive, { 'code' => 'REMOTE_ERROR', 'type' => 'RangeError', 'message' => 'no', 'data' => 3 }, F::HOST_ERROR)
    assert_equal ['price.of', 'REMOTE_ERROR', 'RangeError', 'no', 3], worker.receive.body

    worker.call(3, 'system')
    asked = worker.receive
    assert_equal({ 'name' => 'system', 'args' => 'ls' }, asked.body['args'])
    worker.answer(asked, { 'code' => 'UNKNOWN_TOOL', 'message' => 'none' }, F::HOST_ERROR)
    error = worker.receive.body
    assert_equal ['REMOTE_ERROR', 'Snakepit::ToolError', "the tool 'system' failed (UNKNOWN_TOOL): none"], error.values_at('code', 'type', 'message')
    assert_equal({ 'tool' => 'system', 'code' => 'UNKNOWN_TOOL', 'type' => nil, 'data' => nil }, error['data'])
  end

  def test_messages_return_or_raise_and_events_are_sent
    worker = host(<<~RUBY)
      command(:ask) { |ctx:| ctx.send('sum', [1, 2]) }
      command(:tell) { |ctx:| ctx.emit('cache.miss', { key: 1 }); ctx.emit({ cmd: 'x' }); ctx.progress(0.5) }
      command(:reserved) { |ctx:| ctx.emit('snakepit.metrics', []) }
    RUBY
    worker.call(1, 'ask')
    question = worker.receive
    assert_equal ['message.send', { 'pattern' => 'sum', 'data' => [1, 2] }], question.body.values_at('method', 'args')
    worker.answer(question, { 'code' => 'UNKNOWN_PATTERN', 'message' => 'nobody' }, F::HOST_ERROR)
    assert_equal 'Snakepit::MessageError', worker.receive.body['type']
    worker.call(2, 'tell')
    frames = 4.times.map { worker.receive }
    assert_equal [F::EVENT, F::EVENT, F::PROGRESS, F::RESULT], frames.map(&:kind)
    assert_equal [{ 'name' => 'cache.miss', 'data' => { 'key' => 1 } }, { 'name' => '{"cmd":"x"}', 'data' => nil }, 0.5, nil], frames.map(&:body)
    assert_match(/choose another name/, worker.error(3, 'reserved')['message'])
  end

  def test_log_records_name_their_call_and_a_logger_is_one_too
    worker = host(<<~RUBY)
      command(:log) do |ctx:|
        ctx.log.warn('low', rows: 3, odd: Object)
        Snakepit.logger.error(RuntimeError.new('bad'))
        Snakepit.logger.info { 'lazy' }
        nil
      end
    RUBY
    worker.call(1, 'log')
    records = 3.times.map { worker.receive }
    assert_equal [[F::LOG, 1]] * 3, records.map { |frame| [frame.kind, frame.id] }
    assert_equal({ 'level' => 'warn', 'message' => 'low', 'logger' => 'log', 'fields' => { 'rows' => '3', 'odd' => 'Object' } }, records[0].body)
    assert_equal ['error', 'RuntimeError: bad', 'app'], records[1].body.values_at('level', 'message', 'logger')
    assert_equal %w[info lazy], records[2].body.values_at('level', 'message')
    assert_equal F::RESULT, worker.receive.kind
  end

  def test_a_flood_of_records_is_cut_and_told
    worker = host('command(:flood) { |ctx:| 3000.times { |index| ctx.log.info(index) } && nil }')
    worker.call(1, 'flood')
    records = 0
    records += 1 while worker.receive.kind == F::LOG
    assert_operator records, :<, 2500
    told = worker.receive_kind(F::LOG).body
    assert_equal ['warn', 'snakepit_bridge.log'], told.values_at('level', 'logger')
    assert_operator told['fields']['dropped'], :>, 500
  end

  def test_what_is_measured_comes_before_the_answer
    worker = host(<<~RUBY)
      command(:measure) do |ctx:|
        3.times { ctx.metrics.count('rows', 2, table: 'orders') }
        ctx.metrics.observe('size', 1)
        ctx.metrics.observe('size', 40)
        ctx.metrics.gauge('entries', 17)
        nil
      end
    RUBY
    worker.call(1, 'measure')
    event = worker.receive
    assert_equal [F::EVENT, 1], [event.kind, event.id]
    assert_equal({ 'name' => 'snakepit.metrics', 'data' => [['count', 'rows', { 'table' => 'orders' }, 6], ['observe', 'size', nil, [1, 40]], ['gauge', 'entries', nil, 17]] }, event.body)
    assert_equal F::RESULT, worker.receive.kind
  end

  def test_input_is_read_as_from_an_io
    worker = host(<<~RUBY, codec: 'msgpack')
      command(:parts) { |ctx:| [ctx.input.read(3), ctx.input.gets, ctx.input.each_line.to_a, ctx.input.eof?, ctx.input.read(1), ctx.input.read] }
      command(:chunks) { |ctx:| ctx.input.each_chunk.map(&:bytesize) }
    RUBY
    worker.call(1, 'parts')
    answer_input(worker, ['ab', "cde\n", "f\n", 'g'])
    assert_equal ['abc', "de\n", ["f\n", 'g'], true, nil, ''], worker.receive.body
    worker.call(2, 'chunks')
    answer_input(worker, ['x' * 10, 'y' * 5])
    assert_equal [10, 5], worker.receive.body
  end

  def test_a_batch_has_a_result_or_an_error_for_each_call
    worker = host(<<~RUBY, maxFrameBytes: 1000)
      command(:halve, batch: { max_size: 8, max_wait_ms: 5 }) do |items|
        items.map { |item| item['n'].odd? ? ArgumentError.new('odd') : item['n'] / 2 }
      end
      command(:lose, batch: true) { |items| items.drop(1) }
      command(:repeat, batch: true) { |items| items.map { |item| item['n'] < 0 ? Object.new : 'x' * item['n'] } }
    RUBY
    assert_equal({ 'maxSize' => 8, 'maxWaitMs' => 5 }, worker.hello['commands'].first['batch'])
    results, errors = worker.result(1, 'halve', [{ 'n' => 4 }, { 'n' => 3 }], meta: { 'batch' => true })
    assert_equal [[2, nil], [[1, 'odd']]], [results, errors.map { |index, error| [index, error['message']] }]
    assert_equal 3, worker.result(2, 'halve', { 'n' => 6 })
    assert_equal 'odd', worker.error(3, 'halve', { 'n' => 7 })['message']
    assert_equal 'INVALID_RESULT', worker.error(4, 'lose', [{}], meta: { 'batch' => true })['code']
    results, errors = worker.result(5, 'repeat', [{ 'n' => 3 }, { 'n' => -1 }, { 'n' => 900 }, { 'n' => 400 }], meta: { 'batch' => true })
    assert_equal ['xxx', nil, nil, 'x' * 400], results
    assert_equal [[1, 'INVALID_RESULT'], [2, 'FRAME_TOO_LARGE']], errors.map { |index, error| [index, error['code']] }.sort
  end

  private

  def answer_input(worker, chunks)
    [*chunks, nil].each do |chunk|
      question = worker.receive
      assert_equal ['input.read', { 'maxBytes' => 262_144 }], question.body.values_at('method', 'args')
      worker.answer(question, chunk&.b)
    end
  end
end
