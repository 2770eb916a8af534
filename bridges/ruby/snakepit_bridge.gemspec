# frozen_string_literal: true

require_relative 'lib/snakepit_bridge/version'

Gem::Specification.new do |spec|
  spec.name = 'snakepit_bridge'
  spec.version = Snakepit::VERSION
  spec.summary = 'Write commands in Ruby that a NestJS application calls through nestjs-snakepit'
  spec.authors = ['the nestjs-snakepit authors']
  spec.license = 'MIT'
  spec.required_ruby_version = '>= 3.0'
  spec.files = Dir.chdir(__dir__) { Dir['lib/**/*.rb', 'exe/*', 'README.md', 'LICENSE'] }
  spec.bindir = 'exe'
  spec.executables = ['snakepit-ruby-worker']
  spec.metadata['rubygems_mfa_required'] = 'true'
end
