export { SNAKEPIT_VERSION } from '../core/version.js';
