export { custom, customOptionTable, type CustomOptions } from './custom.js';
export { node, nodeOptionTable, type NodeOptions } from './node.js';
export { python, pythonOptionTable, type PythonOptions } from './python.js';
