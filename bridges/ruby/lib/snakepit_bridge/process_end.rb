# frozen_string_literal: true

require_relative 'error_map'
require_relative 'fork_guard'

module Snakepit
  # @private The worker's process: signals, standard streams, and how it ends.
  module ProcessEnd
    PROTOCOL_FAILURE = 70
    STACK_SIGNAL = 'USR1'

    module_function

    # Sets up what every worker needs: SIGTERM as an orderly exit, SIGINT ignored, stacks upon SIGUSR1, prompt output.
    def prepare
      $stdout.sync = true
      $stderr.sync = true
      trap('INT', 'IGNORE')
      trap('TERM') do
        @is_terminated = true
        exit(0)
      end
      @on_stack_signal = ->(_) { write_stacks }
      trap(STACK_SIGNAL, @on_stack_signal)
      ForkGuard.after_fork { %w[INT TERM].each { |name| trap(name, 'DEFAULT') } }
    end

    def terminated?
      @is_terminated == true
    end

    # Where the exit was swallowed that SIGTERM had asked for: by a command that rescues everything, or within code of the interpreter's.
    def exit_if_terminated
      exit(0) if @is_terminated
    end

    # Lets the clean-up that is now under way finish, whatever SIGTERM comes.
    def ignore_termination
      trap('TERM', 'IGNORE')
    end

    # Name of the signal upon which all stacks are written to stderr; nil if the user's code has taken it for itself.
    def stack_signal
      current = trap(STACK_SIGNAL, @on_stack_signal)
      return 'SIGUSR1' if current.equal?(@on_stack_signal)

      trap(STACK_SIGNAL, current)
      nil
    end

    # Writes one line to stderr, if there is one.
    def complain(message)
      $stderr.puts("snakepit_bridge: #{message}")
    rescue SystemCallError, IOError
      nil
    end

    # Ends at once because the host is gone, and with this process its group, if it leads one.
    def with_host
      Process.kill(:KILL, -Process.pid) if Process.getpgrp == Process.pid
      exit!(1)
    end

    # Ends at once because the connection cannot go on.
    def by_protocol_error(message)
      complain("protocol error: #{message}")
      exit!(PROTOCOL_FAILURE)
    end

    # Lets the kernel kill this process when its host dies, so that not even C code that holds the interpreter outlives it.
    #
    # The signal comes when the thread ends that started this process, so it is set only where the host itself did. Linux only. The
    # library takes some milliseconds to load: to be called once the host has been answered.
    def die_with_host
      host = ENV.fetch('SNAKEPIT_HOST', '')[/\A\d+/].to_i
      return unless RUBY_PLATFORM.include?('linux') && Process.ppid == host

      require 'fiddle'
      prctl = Fiddle::Function.new(Fiddle::Handle::DEFAULT['prctl'], [Fiddle::TYPE_INT, *[Fiddle::TYPE_LONG] * 4], Fiddle::TYPE_INT)
      prctl.call(1, Signal.list.fetch('KILL'), 0, 0, 0)
      # It died just before.
      with_host if Process.ppid != host
    rescue LoadError, StandardError
      # A Ruby or a C library without it: the guardian and the end of the connection remain.
      nil
    end

    # The lines of this library are left out where there are others.
    def write_stacks
      stacks = Thread.list.map do |thread|
        kind = thread == Thread.current ? 'Current thread' : 'Thread'
        lines = thread.backtrace || []
        own = lines.reject { |line| line.start_with?(*ErrorMap::INNER) }
        lines = own unless own.empty?
        ["#{kind} #{format('0x%016x', thread.object_id)} (most recent call first):", *lines.map { |line| "  #{line}" }]
      end
      $stderr.syswrite("#{stacks.flatten.join("\n")}\n")
    rescue SystemCallError, IOError
      nil
    end
  end
end
