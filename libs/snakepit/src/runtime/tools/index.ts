export { ToolContext } from './tool-context.js';
export { Tools, type Tool, type ToolOptions } from './tools.js';
