# frozen_string_literal: true

require_relative 'loader'
require_relative 'process_end'

module Snakepit
  # @private The program that runs a worker: `ruby exe/snakepit-ruby-worker --module report.rb`.
  module Main
    USAGE = <<~TEXT
      usage: snakepit-ruby-worker --module FILE [--protocol json|msgpack|auto] [ARGUMENT…]

      Serves the commands of a Ruby file to a host of nestjs-snakepit, which starts this program by itself.
      --protocol is the codec of protocol v1 (default: auto); protocol v2 agrees on its codec with the host.
      Other arguments are left in ARGV.
    TEXT
    WRONG_USAGE = 2
    PROTOCOLS = %w[json msgpack auto].freeze

    module_function

    # Serves until the host asks for the end; what is left in `arguments` is for the user's file.
    def run(arguments)
      options = options_of(arguments)
      # Whatever the locale of the host is, files hold UTF-8 unless they say otherwise.
      Encoding.default_external = Encoding::UTF_8 if Encoding.default_external == Encoding::US_ASCII
      ProcessEnd.prepare
      serve(options.fetch('--protocol')) { Loader.load_file(options['--module']) }
    end

    def serve(codec, &load)
      protocol = ENV.delete('SNAKEPIT_PROTOCOL') || 'v1'
      descriptor = ENV.delete('SNAKEPIT_FD').to_s
      if protocol == 'v2' && /\A\d+\z/.match?(descriptor)
        require_relative 'v2/server'
        V2::Server.new(descriptor.to_i).serve(&load)
      elsif protocol == 'v1'
        require_relative 'v1/server'
        V1.serve(codec, &load)
      else
        fail_with("cannot serve SNAKEPIT_PROTOCOL=#{protocol} with SNAKEPIT_FD=#{descriptor}")
      end
    end

    def options_of(arguments)
      options = { '--module' => nil, '--protocol' => 'auto' }
      others = []
      until arguments.empty?
        argument = arguments.shift
        name, value = argument.split('=', 2)
        if %w[-h --help].include?(name)
          puts USAGE
          exit
        end
        next others << argument unless options.key?(name)

        options[name] = value || arguments.shift || fail_with("#{name} needs a value")
      end
      arguments.concat(others)
      fail_with('--module is required') if options['--module'].nil?
      fail_with("--protocol must be one of #{PROTOCOLS.join(', ')}") unless PROTOCOLS.include?(options['--protocol'])
      options
    end

    def fail_with(reason)
      ProcessEnd.complain("#{reason}\n#{USAGE}")
      exit(WRONG_USAGE)
    end
  end
end
