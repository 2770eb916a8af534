export type {
  CallId,
  CallKind,
  CallMeta,
  Channel,
  ChannelCall,
  ChannelFailure,
  ChannelOwner,
  CommandManifest,
  HostCall,
  WorkerManifest,
} from './channel.js';
export { FdChannel } from './fd-channel.js';
export { HandshakeRefused, openFdChannel, type ArenaGrant } from './fd-handshake.js';
export { PendingCalls } from './pending-calls.js';
export { StdioChannel } from './stdio-channel.js';
export { openStdioChannel } from './stdio-handshake.js';
