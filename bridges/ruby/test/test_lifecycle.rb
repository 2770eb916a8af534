# frozen_string_literal: true

require_relative 'host'

class LifecycleTest < WorkerTest
  def test_the_hello_tells_what_the_worker_is
    hello = host('command(:add) { |a:| a }; stream(:count) { [] }', codec: 'msgpack').hello
    assert_equal [2, 'msgpack', 'ruby', true, true], hello.values_at('protocol', 'codec', 'language', 'typedArrays', 'batches')
    assert_equal [{ 'name' => RUBY_ENGINE, 'version' => RUBY_VERSION }, { 'name' => 'snakepit_bridge', 'version' => Snakepit::VERSION }], hello.values_at('runtime', 'sdk')
    assert_equal [{ 'name' => 'add', 'kind' => 'call' }, { 'name' => 'count', 'kind' => 'stream' }], hello['commands']
  end

  {
    'a syntax error' => ["Snakepit.worker do\n  command(:add { |a| a }\nend\n", 'SyntaxError', /handlers\.rb:2: syntax error/],
    'an exception' => ["\nraise IOError, 'no model'", 'IOError', /\Ano model\z/],
    'no command' => ['x = 1', 'Snakepit::StartupError', /handlers\.rb declares no command/],
    'two commands of one name' => ["Snakepit.worker do\n  command(:add) { 1 }\n  command('add') { 2 }\nend", 'Snakepit::StartupError', /two commands named 'add': .*handlers\.rb:2 and .*handlers\.rb:3; rename one/],
    'a parameter that is not there' => ['Snakepit.worker { command(:add, params: { a: Integer }) { |b:| b } }', 'Snakepit::StartupError', /params declares a, which its block does not take/],
    'a type that is none' => ['Snakepit.worker { command(:add, params: { a: IO }) { |a:| a } }', 'Snakepit::StartupError', /the type of 'a' is IO; allowed are Integer/],
    'a command without a block' => ['Snakepit.worker { command(:add) }', 'Snakepit::StartupError', /'add' has no block, and there is no method of that name/],
    'a failing start hook' => ['Snakepit.worker { command(:add) { 1 }; on_start { raise "no model" } }', 'RuntimeError', /no model/]
  }.each do |what, (source, type, message)|
    define_method("test_#{what.tr(' ', '_')}_keeps_it_from_starting") do
      worker = host_of(source)
      error = worker.hello['error']
      assert_equal type, error['type']
      assert_match message, error['message']
      assert_equal 1, worker.wait.exitstatus
      assert_match(/the worker cannot start/, worker.output.last)
    end
  end

  def test_what_is_printed_stays_out_of_the_protocol
    worker = host("command(:print) { puts 'out'; warn 'err'; system('echo child'); nil }")
    assert_nil worker.result(1, 'print')
    worker.send_frame(F::SHUTDOWN)
    assert_equal 0, worker.wait.exitstatus
    assert_equal ["out\nchild\n", "err\n"], worker.output
  end

  def test_pings_are_answered_while_a_command_runs
    worker = host("command(:spin) { |until_file:| nil until File.exist?(until_file) }")
    path = File.join(@folder, 'go')
    worker.call(1, 'spin', { 'until_file' => path })
    worker.send_frame(F::PING, 7)
    assert_equal [F::PONG, 7], worker.receive.then { |frame| [frame.kind, frame.id] }
    File.write(path, '')
    assert_equal F::RESULT, worker.receive.kind
  end

  def test_answers_leave_before_a_long_command_goes_on
    worker = host("command(:add) { |a:, b:| a + b }; command(:spin) { |until_file:| nil until File.exist?(until_file) }")
    3.times { |index| worker.result(index + 1, 'add', { 'a' => 1, 'b' => 2 }) }
    path = File.join(@folder, 'go')
    worker.one_write do
      worker.call(10, 'add', { 'a' => 1, 'b' => 2 })
      worker.call(11, 'spin', { 'until_file' => path })
    end
    assert_equal 10, worker.receive.id
    File.write(path, '')
    assert_equal 11, worker.receive.id
  end

  def test_a_running_command_sees_that_it_is_cancelled
    worker = host(<<~RUBY)
      command(:poll) { |ctx:| ctx.progress(0); nil until ctx.cancelled?; 'seen' }
      command(:check) { |ctx:| ctx.progress(0); loop { ctx.raise_if_cancelled } }
      command(:sleep) { |ctx:| ctx.progress(0); ctx.sleep(60) }
      command(:quick) { |ctx:| ctx.sleep(0.01); 'slept' }
    RUBY
    { 'poll' => [F::RESULT, 'seen'], 'check' => [F::ERROR, 'CANCELLED'], 'sleep' => [F::ERROR, 'CANCELLED'] }.each_with_index do |(name, (kind, outcome)), index|
      worker.call(index + 1, name)
      worker.receive_kind(F::PROGRESS)
      worker.cancel(index + 1)
      frame = worker.receive
      assert_equal [kind, outcome], [frame.kind, kind == F::ERROR ? frame.body['code'] : frame.body]
    end
    assert_equal 'slept', worker.result(10, 'quick')
  end

  def test_a_call_that_waits_is_cancelled_before_it_begins
    worker = host('command(:wait) { sleep 0.1 }; command(:add) { |a:| a }')
    worker.one_write do
      worker.call(1, 'wait')
      worker.call(2, 'add', { 'a' => 1 })
      worker.cancel(2)
    end
    frames = [worker.receive, worker.receive].to_h { |frame| [frame.id, frame] }
    assert_equal ['CANCELLED', false], frames[2].body.values_at('code', 'started')
  end

  def test_a_deadline_that_passes_cancels
    worker = host('command(:poll) { |ctx:| nil until ctx.cancelled?; ctx.deadline_seconds }; command(:sleep) { |ctx:| ctx.sleep(60) }')
    assert_equal 0, worker.result(1, 'poll', {}, deadline_ms: 30)
    assert_equal 'CALL_TIMEOUT', worker.error(2, 'sleep', {}, deadline_ms: 30)['code']
  end

  def test_stacks_are_written_upon_the_signal_it_names
    worker = host("command(:spin) { |until_file:, ctx:| ctx.progress(0); nil until File.exist?(until_file) }")
    assert_equal 'SIGUSR1', worker.hello['stackSignal']
    path = File.join(@folder, 'go')
    worker.call(1, 'spin', { 'until_file' => path })
    worker.receive_kind(F::PROGRESS)
    Process.kill(:USR1, worker.pid)
    lines = Timeout.timeout(TIMEOUT_SECONDS) { [worker.error_line, worker.error_line] }
    assert_match(/\ACurrent thread 0x\h+ \(most recent call first\):\n\z/, lines[0])
    assert_match(/\A  .*handlers\.rb:3:in /, lines[1])
    File.write(path, '')
    assert_equal F::RESULT, worker.receive.kind
  end

  def test_shutdown_waits_for_calls_and_runs_the_hooks
    worker = host("command(:wait) { sleep 0.05 }; stream(:count) { |n:| n.times }; on_shutdown { puts 'bye' }")
    worker.one_write do
      worker.call(1, 'wait')
      worker.call(2, 'count', { 'n' => 6 }, stream: true)
      worker.send_frame(F::SHUTDOWN)
    end
    assert_equal [F::RESULT, *[F::CHUNK] * 4], 5.times.map { worker.receive.kind }
    worker.credit(2, 10)
    assert_equal [F::CHUNK, F::CHUNK, F::ENDED], 3.times.map { worker.receive.kind }
    assert_equal 0, worker.wait.exitstatus
    assert_equal "bye\n", worker.output.first
  end

  def test_sigterm_ends_it_in_good_order_whatever_runs
    worker = host(<<~RUBY)
      stream(:endless) do |&emit|
        loop { emit.call(1) }
      ensure
        puts 'closed'
      end
      command(:sleep) { |ctx:| ctx.progress(0); sleep }
      on_shutdown { puts 'bye' }
    RUBY
    worker.call(1, 'endless', nil, stream: true)
    4.times { worker.receive }
    worker.call(2, 'sleep')
    worker.receive_kind(F::PROGRESS)
    Process.kill(:TERM, worker.pid)
    assert_equal 0, worker.wait.exitstatus
    assert_equal "closed\nbye\n", worker.output.first
  end

  def test_sigterm_ends_it_though_a_command_rescues_everything
    worker = host(<<~RUBY)
      command(:stubborn) do |ctx:|
        ctx.progress(0)
        sleep
      rescue Exception
        'still here'
      end
      on_shutdown { puts 'bye' }
    RUBY
    worker.call(1, 'stubborn')
    worker.receive_kind(F::PROGRESS)
    Process.kill(:TERM, worker.pid)
    assert_equal 0, worker.wait.exitstatus
    assert_equal "bye\n", worker.output.first
  end

  def test_the_end_of_the_host_ends_it_and_its_group
    worker = host("command(:child) { spawn('sleep 60') }; command(:sleep) { sleep }")
    child = worker.result(1, 'child')
    worker.call(2, 'sleep')
    worker.socket.close_write
    assert_equal Signal.list['KILL'], worker.wait.termsig
    Timeout.timeout(TIMEOUT_SECONDS) { Thread.pass while alive?(child) }
  end

  def test_children_have_neither_the_socket_nor_the_connection
    worker = host(<<~RUBY)
      command(:open) { `ls -l /proc/self/fd` }
      command(:forked) do |ctx:|
        reader, writer = IO.pipe
        pid = fork { writer.write((ctx.log.info('child'); 'ended')); exit }
        writer.close
        [reader.read, Process.wait2(pid).last.exitstatus]
      end
    RUBY
    refute_match(/socket:/, worker.result(1, 'open'))
    assert_equal ['ended', 0], worker.result(2, 'forked')
    assert_equal ['ended', 0], worker.result(3, 'forked')
  end

  {
    'a frame that is too long' => ->(worker) { worker.socket.write([5000, F.head(F::CALL), 1].pack('N3')) },
    'a kind that is none' => ->(worker) { worker.send_frame(0x77) },
    'a body that is malformed' => ->(worker) { worker.send_frame(F::CALL, 1, body: '{') },
    'an answer that nobody waits for' => ->(worker) { worker.send_frame(F::HOST_RESULT, 9) }
  }.each do |what, break_protocol|
    define_method("test_#{what.tr(' ', '_')}_ends_it_with_a_word") do
      worker = host('command(:add) { |a:| a }', maxFrameBytes: 4096)
      break_protocol.call(worker)
      assert_equal 70, worker.wait.exitstatus
      assert_match(/protocol error: /, worker.output.last)
    end
  end

  def test_a_host_that_speaks_no_common_protocol_or_codec_is_told
    worker = host('command(:add) { |a:| a }', protocol: [3])
    assert_match(/the host speaks protocol 3/, worker.hello['error']['message'])
    other = host('command(:add) { |a:| a }', codecs: ['cbor'])
    assert_match(/the host offers the codecs cbor/, other.hello['error']['message'])
  end

  def test_exit_in_a_command_ends_the_worker_with_its_status
    worker = host("command(:leave) { exit 3 }; on_shutdown { puts 'bye' }")
    worker.call(1, 'leave')
    assert_equal 3, worker.wait.exitstatus
    assert_equal "bye\n", worker.output.first
  end

  private

  def alive?(pid)
    File.read("/proc/#{pid}/stat").rpartition(')').last.split.first != 'Z'
  rescue Errno::ENOENT
    false
  end
end
