export type { DataMap } from './data-map.js';
export { SESSION_METHODS, SessionHostCalls, type SessionMethod } from './host-calls.js';
export { MemorySessionStore, type MemorySessionStoreOptions } from './memory-store.js';
export { SESSION_OPTIONS, type SessionOptions, type SessionOptionsInput } from './options.js';
export {
  applyChange,
  openSession,
  type NewSession,
  type Session,
  type SessionChange,
  type StoredChange,
} from './session.js';
export {
  checkSessionId,
  SessionService,
  type SessionInit,
  type SessionServiceContext,
  type SessionStats,
} from './session-service.js';
export {
  isSessionStore,
  type GlobalWrite,
  type ReadOutcome,
  type SessionStore,
  type SessionStoreListener,
  type StoreSize,
  type WriteOutcome,
} from './store.js';
