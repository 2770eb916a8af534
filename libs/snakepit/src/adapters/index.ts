export { custom, customOptionTable, type CustomOptions } from './custom.js';
export { grpc, grpcOptionTable, type GrpcOptions } from './grpc.js';
export { node, nodeOptionTable, type NodeOptions } from './node.js';
export { python, pythonOptionTable, type PythonOptions } from './python.js';
export { r, rOptionTable, type ROptions } from './r.js';
