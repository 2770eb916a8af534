export { custom, customOptionTable, type CustomOptions } from './custom.js';
export { go, goOptionTable, type GoOptions } from './go.js';
export { grpc, grpcOptionTable, type GrpcOptions } from './grpc.js';
export { node, nodeOptionTable, type NodeOptions } from './node.js';
export { python, pythonOptionTable, type PythonOptions } from './python.js';
export { ruby, rubyOptionTable, type RubyOptions } from './ruby.js';
export { r, rOptionTable, type ROptions } from './r.js';
